//! Host names that carry data in their labels.
