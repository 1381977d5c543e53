import type { YAMLError } from "yaml";

const EXPLANATIONS: Readonly<Partial<Record<YAMLError["code"], string>>> = {
  ALIAS_PROPS: "an alias cannot have an anchor or a tag",
  BAD_ALIAS: "an alias that is not understood",
  BAD_COLLECTION_TYPE: "a tag that does not fit its value",
  BAD_DIRECTIVE: "a directive that is not understood",
  BAD_DQ_ESCAPE: "an unknown escape in a double-quoted text",
  BAD_INDENT: "wrong indentation (or a bracket above is not closed)",
  BAD_PROP_ORDER: "an anchor or tag in the wrong place",
  BAD_SCALAR_START: "a text that begins with this character must be quoted",
  BLOCK_AS_IMPLICIT_KEY: "a mapping inside a line that already has a key (quote the text, or indent it below)",
  BLOCK_IN_FLOW: "an indented list or mapping inside brackets",
  DUPLICATE_KEY: "the key stands twice in this mapping",
  KEY_OVER_1024_CHARS: "a key over 1024 characters",
  MISSING_CHAR: "a quote, a bracket, a comma, a colon or a space is missing",
  MULTILINE_IMPLICIT_KEY: "a key over more than one line (is a colon missing?)",
  MULTIPLE_ANCHORS: "more than one anchor for one value",
  MULTIPLE_DOCS: "more than one document (---) in the file; split it",
  MULTIPLE_TAGS: "more than one tag for one value",
  NON_STRING_KEY: "a key must be plain text",
  RESOURCE_EXHAUSTION: "nested too deeply",
  TAB_AS_INDENT: "a tab in the indentation; use spaces",
  TAG_RESOLVE_FAILED: "a tag that is not understood",
  UNEXPECTED_TOKEN: "unexpected text (a quote or bracket too many, or one too few above?)",
};

/** What is wrong, in words of ours: the parser's own may repeat the text at fault. */
export function explainProblem(problem: YAMLError): string {
  return `YAML: ${EXPLANATIONS[problem.code] ?? "not understood"}`;
}
