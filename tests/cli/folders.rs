//! What lies beside the files of a model is looked at: the table that the page opens in `tests/browser/opening.spec.js`.

use serde_json::{Value, json};

use super::opening::{Folder, cases, pollen, stderr};

#[test]
fn what_lies_beside_is_looked_at() {
    let plain = Folder::new();
    plain.model("average", json!({}), 0.1);
    plain.model("model", json!({}), 0.3);
    for case in cases("folders.json") {
        let name = case["name"].as_str().expect("a name");
        let folder = Folder::new();
        for (path, content) in case["files"].as_object().expect("files") {
            match content.as_str() {
                Some("sizeless") => folder.model(path, json!({"sample_size": null}), 0.3),
                Some("model") => folder.model(path, json!({}), 0.3),
                // As diffusers' `EMAModel` saves it.
                Some("average") => {
                    let fields = json!({"decay": 0.9999, "optimization_step": 500, "power": 0.75});
                    folder.model(path, fields, 0.1);
                }
                _ => folder.write(path, content.to_string()),
            }
        }
        let dir = case["open"].as_str().unwrap_or(".");
        let sampler = case["sampler"].as_str().expect("a sampler");
        let says: Vec<&str> = (case["says"].as_array().expect("a list").iter())
            .filter_map(Value::as_str)
            .collect();
        let heard = |said: &str| {
            let silent = !said.contains("warning:");
            assert_eq!(silent, says.is_empty(), "{name}: {said}");
            for part in &says {
                assert!(said.contains(part), "{name}: {part:?} is not in: {said}");
            }
        };
        let inspected = pollen(&["inspect", &folder.path(dir)]);
        heard(&stderr(&inspected));
        let answer: Value = serde_json::from_slice(&inspected.stdout).expect("JSON");
        assert_eq!(answer["sampler"], sampler, "{name}");
        if name.contains("without a size") {
            continue;
        }
        let (_, made, said) = folder.sample(dir, &[]);
        heard(&said);
        let average = case["average"] == true;
        let of = if average { "average" } else { "model" };
        let (_, expected, _) = plain.sample(of, &["--sampler", sampler]);
        assert!(made == expected, "{name}: not the weights of {of}");
    }
}
