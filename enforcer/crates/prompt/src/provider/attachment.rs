//! Files by value or by reference, as providers write them.

use crate::call::Attachment;

/// One behind an URL; a `data:` URL has it in itself.
pub(crate) fn from_url<'b>(kind: &'static str, url: &'b str) -> Attachment<'b> {
    match data_url(url) {
        Some((media_type, size)) => Attachment {
            kind,
            media_type,
            size: Some(size),
            ..Attachment::default()
        },
        None => Attachment {
            kind,
            reference: Some(url),
            ..Attachment::default()
        },
    }
}

/// One in base64.
pub(crate) fn from_base64<'b>(
    kind: &'static str,
    media_type: Option<&'b str>,
    data: &str,
) -> Attachment<'b> {
    Attachment {
        kind,
        media_type,
        size: Some(decoded(data)),
        ..Attachment::default()
    }
}

/// One that the provider holds.
pub(crate) fn from_id<'b>(kind: &'static str, id: &'b str) -> Attachment<'b> {
    Attachment {
        kind,
        reference: Some(id),
        ..Attachment::default()
    }
}

/// Media type and size of what a `data:` URL holds.
fn data_url(url: &str) -> Option<(Option<&str>, u64)> {
    let scheme = url.get(..5)?;
    if !scheme.eq_ignore_ascii_case("data:") {
        return None;
    }
    let (head, data) = url.get(5..)?.split_once(',')?;
    let media_type = head.split(';').next().filter(|it| !it.is_empty());
    let base64 = head
        .rsplit(';')
        .next()
        .is_some_and(|last| last.eq_ignore_ascii_case("base64"));
    let size = if base64 {
        decoded(data)
    } else {
        data.len() as u64
    };
    Some((media_type, size))
}

/// How many bytes this many characters of base64 stand for.
fn decoded(data: &str) -> u64 {
    let significant = data.trim_end_matches('=').len() as u64;
    significant * 3 / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_decoded_bytes() {
        assert_eq!(decoded(""), 0);
        assert_eq!(decoded("QQ=="), 1);
        assert_eq!(decoded("QUI="), 2);
        assert_eq!(decoded("QUJD"), 3);
    }

    #[test]
    fn data_urls_are_opened_and_others_are_references() {
        let inside = from_url("image", "data:image/png;base64,QUJD");
        assert_eq!(
            (inside.media_type, inside.size, inside.reference),
            (Some("image/png"), Some(3), None)
        );
        let outside = from_url("image", "https://example.com/cat.png");
        assert_eq!(
            (outside.size, outside.reference),
            (None, Some("https://example.com/cat.png"))
        );
        let broken = from_url("image", "data:image/png;base64");
        assert_eq!(
            (broken.size, broken.reference),
            (None, Some("data:image/png;base64"))
        );
    }
}
