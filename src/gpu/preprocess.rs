//! From a shader file to WGSL: `#include "file"`, `#if EXPR` / `#elif` / `#else` / `#endif`, textual unrolling with
//! `#for NAME in A..B` / `#endfor`, `#let NAME = EXPR`, `${EXPR}` for integer expressions over the defines and loop names, and
//! `@binding(auto)`, numbered from 1 in order of appearance. Unrolling by text rather than by the compiler keeps
//! accumulators in registers on compilers that do not unroll.

use std::iter::Peekable;
use std::str::Chars;

use super::wgsl::Shaders;

/// What is wrong with a shader's directives, with the line.
#[derive(Debug, thiserror::Error)]
#[error("shader directive `{line}`: {message}")]
pub struct PreprocessError {
    line: String,
    message: String,
}

/// What names stand for.
type Names = Vec<(String, i64)>;

/// Expands `source` under `defines`, with what it includes of `shaders`. An undefined name is 0 in the condition of an `#if`, as in C, and an error elsewhere.
pub fn preprocess(
    source: &str,
    defines: &[(&str, i64)],
    shaders: &Shaders,
) -> Result<String, PreprocessError> {
    let mut lines = Vec::new();
    include(source, shaders, &mut lines)?;
    let mut names: Names = defines.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect();
    let mut out = String::new();
    expand(&lines, &mut names, &mut out)?;
    let mut numbered = String::with_capacity(out.len());
    for (i, piece) in out.split("@binding(auto)").enumerate() {
        if i > 0 {
            numbered.push_str(&format!("@binding({i})"));
        }
        numbered.push_str(piece);
    }
    Ok(numbered)
}

pub(super) fn error(line: &str, message: impl Into<String>) -> PreprocessError {
    PreprocessError {
        line: line.trim().to_owned(),
        message: message.into(),
    }
}

fn include<'s>(
    source: &'s str,
    shaders: &'s Shaders,
    lines: &mut Vec<&'s str>,
) -> Result<(), PreprocessError> {
    for line in source.lines() {
        match line.trim().strip_prefix("#include ") {
            Some(path) => {
                let name = path.trim_matches('"').trim_end_matches(".wgsl");
                let text = shaders
                    .text(name)
                    .ok_or_else(|| error(line, "there is no such file in shaders/"))?;
                include(text, shaders, lines)?;
            }
            None => lines.push(line),
        }
    }
    Ok(())
}

/// The end of the block that opens at `lines[start]`, and the lines that begin its branches.
fn block(lines: &[&str], start: usize) -> Result<(usize, Vec<usize>), PreprocessError> {
    let (mut depth, mut branches) = (0, vec![start]);
    for (i, line) in lines.iter().enumerate().skip(start) {
        let line = line.trim();
        if line.starts_with("#if ") || line.starts_with("#for ") {
            depth += 1;
        } else if line == "#endif" || line == "#endfor" {
            depth -= 1;
            if depth == 0 {
                return Ok((i, branches));
            }
        } else if depth == 1 && (line == "#else" || line.starts_with("#elif ")) {
            branches.push(i);
        }
    }
    Err(error(lines[start], "the block does not end"))
}

fn expand(lines: &[&str], names: &mut Names, out: &mut String) -> Result<(), PreprocessError> {
    let mut i = 0;
    while i < lines.len() {
        let line = lines[i].trim();
        if line.starts_with("#if ") {
            let (end, mut branches) = block(lines, i)?;
            branches.push(end);
            for pair in branches.windows(2) {
                let head = lines[pair[0]].trim();
                let condition = head
                    .strip_prefix("#if ")
                    .or_else(|| head.strip_prefix("#elif "));
                let taken = match condition {
                    Some(expression) => evaluate(expression, names, head, Some(0))? != 0,
                    None => true,
                };
                if taken {
                    expand(&lines[pair[0] + 1..pair[1]], names, out)?;
                    break;
                }
            }
            i = end;
        } else if let Some(head) = line.strip_prefix("#for ") {
            let (end, _) = block(lines, i)?;
            let (name, range) = head
                .split_once(" in ")
                .ok_or_else(|| error(line, "expected `NAME in A..B`"))?;
            let (from, to) = range
                .split_once("..")
                .ok_or_else(|| error(line, "expected a range `A..B`"))?;
            for k in evaluate(from, names, line, None)?..evaluate(to, names, line, None)? {
                names.retain(|(of, _)| of != name.trim());
                names.push((name.trim().to_owned(), k));
                expand(&lines[i + 1..end], names, out)?;
            }
            names.retain(|(of, _)| of != name.trim());
            i = end;
        } else if let Some(head) = line.strip_prefix("#let ") {
            let (name, expression) = head
                .split_once(" = ")
                .ok_or_else(|| error(line, "expected `NAME = EXPR`"))?;
            let value = evaluate(expression, names, line, None)?;
            names.retain(|(of, _)| of != name.trim());
            names.push((name.trim().to_owned(), value));
        } else if line.starts_with('#') {
            return Err(error(line, "unknown directive"));
        } else {
            substitute(lines[i], names, out)?;
            out.push('\n');
        }
        i += 1;
    }
    Ok(())
}

fn substitute(line: &str, names: &Names, out: &mut String) -> Result<(), PreprocessError> {
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("${") {
        let (expression, tail) = after
            .split_once('}')
            .ok_or_else(|| error(line, "`${` without `}`"))?;
        out.push_str(before);
        out.push_str(&evaluate(expression, names, line, None)?.to_string());
        rest = tail;
    }
    out.push_str(rest);
    Ok(())
}

/// Integers, names, parentheses, `* / %`, `+ -`, `== < >`, loosest last. An undefined name is `undefined`, or an error.
fn evaluate(
    text: &str,
    names: &Names,
    line: &str,
    undefined: Option<i64>,
) -> Result<i64, PreprocessError> {
    let mut parser = Parser {
        chars: text.chars().peekable(),
        names,
        line,
        undefined,
    };
    let value = parser.comparison()?;
    match parser.next_symbol() {
        None => Ok(value),
        Some(c) => Err(error(line, format!("unexpected `{c}` in `{text}`"))),
    }
}

struct Parser<'a> {
    chars: Peekable<Chars<'a>>,
    names: &'a Names,
    line: &'a str,
    undefined: Option<i64>,
}

impl Parser<'_> {
    fn next_symbol(&mut self) -> Option<char> {
        while self.chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
        self.chars.peek().copied()
    }

    fn take(&mut self, symbols: &str) -> Option<char> {
        let c = self.next_symbol().filter(|c| symbols.contains(*c))?;
        self.chars.next();
        Some(c)
    }

    fn comparison(&mut self) -> Result<i64, PreprocessError> {
        let left = self.sum()?;
        match self.take("=<>") {
            Some('=') => {
                self.take("=");
                Ok(i64::from(left == self.sum()?))
            }
            Some('<') => Ok(i64::from(left < self.sum()?)),
            Some(_) => Ok(i64::from(left > self.sum()?)),
            None => Ok(left),
        }
    }

    fn sum(&mut self) -> Result<i64, PreprocessError> {
        let mut value = self.product()?;
        while let Some(c) = self.take("+-") {
            let right = self.product()?;
            value += if c == '+' { right } else { -right };
        }
        Ok(value)
    }

    fn product(&mut self) -> Result<i64, PreprocessError> {
        let mut value = self.atom()?;
        while let Some(c) = self.take("*/%") {
            let right = self.atom()?;
            value = match c {
                '*' => Some(value * right),
                '/' => value.checked_div(right),
                _ => value.checked_rem(right),
            }
            .ok_or_else(|| error(self.line, "division by zero"))?;
        }
        Ok(value)
    }

    fn atom(&mut self) -> Result<i64, PreprocessError> {
        if self.take("(").is_some() {
            let value = self.comparison()?;
            return match self.take(")") {
                Some(_) => Ok(value),
                None => Err(error(self.line, "missing `)`")),
            };
        }
        let mut word = String::new();
        self.next_symbol();
        while let Some(c) = self
            .chars
            .next_if(|c| c.is_ascii_alphanumeric() || *c == '_')
        {
            word.push(c);
        }
        if word.is_empty() {
            return Err(error(self.line, "expected a number or a name"));
        }
        match word.parse() {
            Ok(number) => Ok(number),
            Err(_) => {
                let found = self.names.iter().find(|(of, _)| *of == word);
                let number = found.map(|(_, number)| *number).or(self.undefined);
                number.ok_or_else(|| error(self.line, format!("`{word}` is not defined")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, defines: &[(&str, i64)]) -> String {
        preprocess(text, defines, &Shaders::default()).unwrap()
    }

    fn mistake(text: &str, defines: &[(&str, i64)]) -> String {
        let expanded = preprocess(text, defines, &Shaders::default());
        expanded.unwrap_err().to_string()
    }

    #[test]
    fn directives() {
        let text = "#for I in 0..2*N\n#if I == 1\nb\n#elif I > 2\nd${I}\n#else\na${(I + 1) * 3 % 5}\n#endif\n#endfor\n@binding(auto) @binding(auto)";
        assert_eq!(
            run(text, &[("N", 2)]),
            "a3\nb\na4\nd3\n@binding(1) @binding(2)\n"
        );
        assert_eq!(run("#if X\nx\n#endif\ny", &[]), "y\n");
        let named = "#for I in 0..2\n#let SQUARE = I * I + N\n${SQUARE}\n#endfor";
        assert_eq!(run(named, &[("N", 5)]), "5\n6\n");
    }

    #[test]
    fn an_undefined_name_is_an_error_save_in_conditions() {
        assert_eq!(
            run("#if N > 1\nx\n#elif N\ny\n#else\nz\n#endif", &[]),
            "z\n"
        );
        let message = mistake("a\nconst W = ${W}u;", &[("V", 1)]);
        assert_eq!(
            message,
            "shader directive `const W = ${W}u;`: `W` is not defined"
        );
        // A loop's name ends with the loop.
        mistake("#for I in 0..2\n${I}\n#endfor\n${I}", &[]);
    }

    #[test]
    fn mistakes_name_the_line() {
        for bad in [
            "#if 1\n",
            "#nonsense",
            "${1 +}",
            "#include \"none.wgsl\"",
            "${1/0}",
            "#for x\n#endfor",
            "#for x in 0..N\n#endfor",
            "#let x 1",
            "#let x = N",
            "const N = ${N}u;",
            "${(1 + N) * 0}",
        ] {
            let message = mistake(bad, &[]);
            let line = bad.lines().next().unwrap().trim();
            assert!(message.contains(line), "{message}");
        }
    }
}
