//! What of a page nobody sees: comments, hidden elements, what pictures and links carry beside what they show.

/// Why a reader does not see a text that a model reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hidden {
    /// In an attribute: an alternative text, a title, a value.
    Attribute,
    /// In a comment, of HTML or markdown.
    Comment,
    /// Under an encoding, or written in characters that are not seen.
    Encoded,
    /// In an element that a style or attribute hides.
    Style,
}

/// An element that hides what is in it.
#[derive(Clone, Debug)]
struct Hiding {
    name: Vec<u8>,
    depth: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Tag,
    Comment,
    /// A line of markdown that is not shown.
    Line,
    /// An image's text.
    Image,
}

/// Follows a page, a byte at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    state: State,
    /// What is in the tag, or what the text ends with.
    tag: Vec<u8>,
    /// The quotation mark an attribute's value is within.
    quote: Option<u8>,
    tail: [u8; 6],
    hiding: Option<Hiding>,
}

/// What a byte is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Of the text, which is hidden or not.
    Text(Option<Hidden>),
    /// Of markup that says nothing.
    Markup,
}

/// More of a tag is not looked at.
const LONGEST_TAG: usize = 2048;

/// Elements that never have an end.
const VOID: &[&[u8]] = &[
    b"area", b"base", b"br", b"col", b"embed", b"hr", b"img", b"input", b"link", b"meta",
    b"source", b"wbr",
];

// === impl Page ===

impl Page {
    pub(crate) fn byte(&mut self, byte: u8) -> Part {
        self.tail.rotate_left(1);
        self.tail[5] = byte;
        match self.state {
            State::Text => self.text(byte),
            State::Tag => self.tag(byte),
            State::Comment => {
                if self.tail.ends_with(b"-->") {
                    self.state = State::Text;
                }
                Part::Text(Some(Hidden::Comment))
            }
            State::Line => {
                if byte == b'\n' {
                    self.state = State::Text;
                }
                Part::Text(Some(Hidden::Comment))
            }
            State::Image => {
                if matches!(byte, b']' | b'\n') {
                    self.state = State::Text;
                }
                Part::Text(Some(Hidden::Attribute))
            }
        }
    }

    fn text(&mut self, byte: u8) -> Part {
        if byte == b'[' && self.tail[4] == b'!' {
            self.state = State::Image;
        } else if self.tail.ends_with(b"[//]:") || self.tail == *b"[#]: #" {
            self.state = State::Line;
        } else if self.tail[4] == b'<'
            && (byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'!'))
        {
            self.state = State::Tag;
            self.tag.clear();
            self.tag.push(byte);
            self.quote = None;
            return Part::Markup;
        }
        Part::Text(self.hiding.as_ref().map(|_| Hidden::Style))
    }

    fn tag(&mut self, byte: u8) -> Part {
        if self.tag.len() < LONGEST_TAG {
            self.tag.push(byte.to_ascii_lowercase());
        }
        if self.tag == b"!--" {
            self.state = State::Comment;
            return Part::Markup;
        }
        match (byte, self.quote) {
            (b'"' | b'\'', None) if self.tag.contains(&b'=') => self.quote = Some(byte),
            (_, Some(quote)) if byte == quote => self.quote = None,
            (b'>', None) => {
                self.state = State::Text;
                self.element();
            }
            (_, Some(_)) => return Part::Text(Some(Hidden::Attribute)),
            (_, None) => {}
        }
        Part::Markup
    }

    /// A tag is over.
    fn element(&mut self) {
        let end = self.tag.first() == Some(&b'/');
        let name = &self.tag[usize::from(end)..];
        let len = name
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        let name = &name[..len];
        if let Some(hiding) = &mut self.hiding {
            if hiding.name != name {
                return;
            }
            hiding.depth = if end {
                hiding.depth - 1
            } else {
                hiding.depth + 1
            };
            if hiding.depth == 0 {
                self.hiding = None;
            }
        } else if !end
            && !VOID.contains(&name)
            && !self.tag.ends_with(b"/>")
            && hides(&self.tag[len..])
        {
            self.hiding = Some(Hiding {
                name: name.to_vec(),
                depth: 1,
            });
        }
    }
}

/// Styles and classes that show nothing, without blanks.
const UNSEEN: [&str; 18] = [
    "display:none",
    "visibility:hidden",
    "font-size:0",
    "font-size:1px",
    "opacity:0;",
    "opacity:0\"",
    "opacity:0.0",
    "opacity:0'",
    "clip:rect(0",
    "clip-path:inset(100%",
    "clip-path:inset(50%",
    "width:0;",
    "height:0;",
    "height:0\"",
    "max-height:0",
    "transform:scale(0",
    "sr-only",
    "visually-hidden",
];
/// Styles that move an element out of sight, if they move it far.
const MOVED: [&str; 5] = [
    "left:-",
    "top:-",
    "right:-",
    "text-indent:-",
    "margin-left:-",
];
/// Colours of paper.
const WHITE: [&str; 6] = [
    "white",
    "#fff",
    "#ffffff",
    "rgb(255,255,255)",
    "transparent",
    "rgba(0,0,0,0)",
];

/// Whether an element with these attributes, in small letters, is not seen.
fn hides(attributes: &[u8]) -> bool {
    let text: String = String::from_utf8_lossy(attributes)
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    let style = text.replace(' ', "");
    let is_hidden = |word| word == "hidden" || word == "hidden=\"\"";
    UNSEEN.iter().any(|what| style.contains(what))
        || MOVED.iter().any(|what| moves_far(&style, what))
        || [";color", "\"color", "'color"]
            .iter()
            .any(|what| is_white(&style, what))
        || text.split([' ', '>', '/']).any(is_hidden)
}

fn moves_far(style: &str, what: &str) -> bool {
    style.split(what).skip(1).any(|value| {
        let digits = value.bytes().take_while(u8::is_ascii_digit).count();
        digits >= 3 || value[digits..].starts_with("em") && digits >= 2
    })
}

fn is_white(style: &str, what: &str) -> bool {
    let ends = |value: &str| value.starts_with([';', '"', '\'']);
    style.match_indices(what).any(|(at, _)| {
        let value = style[at + what.len()..].strip_prefix(':');
        let mut rests = WHITE
            .iter()
            .filter_map(|colour| value?.strip_prefix(colour));
        rests.any(ends)
    })
}
