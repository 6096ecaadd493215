//! Blocks as markdown and back: paragraphs, headings, lists, boxes, quotes, code and dividers, one
//! line each but for code. Formatting within a line is not simulated.

use serde_json::{Value, json};

use super::values::{plain, rich};

/// One block as lines of markdown.
pub(super) fn line(kind: &str, content: &Value) -> String {
    let text = plain(&content["rich_text"]);
    match kind {
        "heading_1" => format!("# {text}"),
        "heading_2" => format!("## {text}"),
        "heading_3" => format!("### {text}"),
        "bulleted_list_item" => format!("- {text}"),
        "numbered_list_item" => format!("1. {text}"),
        "to_do" if content["checked"] == true => format!("- [x] {text}"),
        "to_do" => format!("- [ ] {text}"),
        "quote" => format!("> {text}"),
        "code" => format!("```\n{text}\n```"),
        "divider" => "---".to_owned(),
        _ => text,
    }
}

/// The blocks of a markdown text: type and content.
pub(super) fn parse(text: &str) -> Vec<(&'static str, Value)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        if trimmed.starts_with("```") {
            let code: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
            blocks.push((
                "code",
                json!({ "rich_text": rich(&code.join("\n")), "language": "plain text", "caption": [] }),
            ));
            continue;
        }
        if trimmed == "---" {
            blocks.push(("divider", json!({})));
            continue;
        }
        let marks = [
            ("### ", "heading_3"),
            ("## ", "heading_2"),
            ("# ", "heading_1"),
            ("- [ ] ", "to_do"),
            ("- [x] ", "to_do"),
            ("- ", "bulleted_list_item"),
            ("1. ", "numbered_list_item"),
            ("> ", "quote"),
        ];
        let found = marks
            .iter()
            .find_map(|(mark, kind)| trimmed.strip_prefix(mark).map(|rest| (*mark, *kind, rest)));
        let (mark, kind, rest) = found.unwrap_or(("", "paragraph", trimmed));
        let mut content = json!({ "rich_text": rich(rest), "color": "default" });
        if kind == "to_do" {
            content["checked"] = json!(mark == "- [x] ");
        }
        blocks.push((kind, content));
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let text =
            "# Plan\nShip on Friday\n- One\n1. Two\n- [ ] Call\n- [x] Done\n> Said\n```\na\n\nb\n```\n---";
        let again: Vec<String> = parse(text)
            .iter()
            .map(|(kind, content)| line(kind, content))
            .collect();
        assert_eq!(again.join("\n"), text);
    }
}
