//! Tests that write one table in every format.

use super::{Cell, Column, Table, TableRow, csv, html, latex, markdown};

/// Returns a table with every character that a format could interpret.
fn table() -> Table {
    Table {
        name: "results-pixel_auroc".into(),
        title: "[selected on test] pixel AUROC".into(),
        columns: vec![Column::label("variant"), Column::number("nut & bolt_1\n50 %", ["nut.mean", "nut.sd"])],
        rows: vec![
            TableRow { baseline: true, cells: vec![Cell::text("[ST-FPM] #1"), Cell::absent("undefined: no <mask>")] },
            TableRow {
                baseline: false,
                cells: vec![
                    Cell::text("skip=add | a\\b, x--y"),
                    Cell {
                        best: true,
                        ..Cell::numbers("0.9900 ± 0.0010", [Some(0.99), Some(0.001)]).remarked("−0.0010")
                    },
                ],
            },
        ],
        remarks: Some("Below, the difference."),
        notes: vec!["Bold: p < 0.05.".into()],
    }
}

#[test]
fn csv_has_a_column_for_each_value() {
    let text = String::from_utf8(csv::bytes(&table()).expect("written")).expect("UTF-8");
    assert_eq!(text, "variant,nut.mean,nut.sd\n[ST-FPM] #1,,\n\"skip=add | a\\b, x--y\",0.99,0.001\n");
}

#[test]
fn markdown_escapes_special_characters_and_omits_remarks() {
    assert_eq!(
        markdown::block(&[table()]),
        "### \\[selected on test\\] pixel AUROC

| variant                |   nut \\& bolt\\_1, 50 % |
|:-----------------------|-----------------------:|
| \\[ST-FPM\\] \\#1         | undefined: no \\<mask\\> |
| skip=add \\| a\\\\b, x--y |    **0.9900 ± 0.0010** |

Bold: p \\< 0.05.
"
    );
}

#[test]
fn latex_escapes_special_characters() {
    assert_eq!(
        latex::float(&table()),
        "% \\usepackage{booktabs,graphicx}
\\begin{table}
  \\centering
  \\caption{{[}selected on test{]} pixel AUROC}
  \\label{tab:results-pixel_auroc}
  \\sbox0{\\begin{tabular}{lr}
    \\toprule
    variant & \\shortstack[r]{nut \\& bolt\\_1\\\\50 \\%} \\\\
    \\midrule
    {[}ST-FPM{]} \\#1 & undefined: no $<$mask$>$ \\\\
    skip=add $|$ a\\textbackslash{}b, x-{}-y & \\textbf{0.9900 $\\pm$ 0.0010} \\\\
    \\bottomrule
  \\end{tabular}}
  \\ifdim\\wd0>\\linewidth\\resizebox{\\linewidth}{!}{\\usebox0}\\else\\usebox0\\fi
  \\par\\smallskip{\\footnotesize Bold: p $<$ 0.05.\\par}
\\end{table}
"
    );
}

#[test]
fn a_page_shows_remarks_and_a_common_note_once() {
    let text = html::block(&[table(), table()]).into_string();
    assert!(text.contains("<td class=\"text\">[ST-FPM] #1</td><td>undefined: no &lt;mask&gt;</td>"), "{text}");
    assert!(text.contains("<strong>0.9900 ± 0.0010</strong><small>−0.0010</small>"), "{text}");
    assert!(text.contains("<th>variant</th><th>nut &amp; bolt_1<br>50 %</th>"), "{text}");
    assert_eq!((text.matches("Below, the difference.").count(), text.matches("Bold: p").count()), (1, 1));
}
