//! WebSockets whose messages rules read.
