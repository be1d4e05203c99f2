//! The same frame in every format.

use super::{Column, DataFormat, Kind, Value, writer};

fn columns() -> Vec<Column> {
    vec![
        Column::new("label", Kind::Text),
        Column::new("seed", Kind::Whole),
        Column::new("value", Kind::Number),
        Column::new("baseline", Kind::Truth),
    ]
}

fn rows() -> Vec<[Value<'static>; 4]> {
    vec![
        [Value::of_text(Some("skip=add, \"n\" & µ")), Value::Whole(-3), Value::Number(0.1 + 0.2), Value::Truth(true)],
        [Value::Absent, Value::Absent, Value::Absent, Value::Absent],
    ]
}

fn written(format: DataFormat, rows: &[[Value<'_>; 4]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut out = writer(format, columns(), &mut bytes).expect("begins");
    rows.iter().for_each(|row| out.row(row).expect("written"));
    out.finish().expect("ends");
    bytes
}

fn text(format: DataFormat, rows: &[[Value<'_>; 4]]) -> String {
    String::from_utf8(written(format, rows)).expect("UTF-8")
}

#[test]
fn csv_quotes_what_must_be_quoted_and_keeps_every_digit() {
    assert_eq!(
        text(DataFormat::Csv, &rows()),
        "label,seed,value,baseline\n\"skip=add, \"\"n\"\" & µ\",-3,0.30000000000000004,true\n,,,\n"
    );
}

#[test]
fn json_is_an_array_of_objects_also_of_none() {
    assert_eq!(
        text(DataFormat::Json, &rows()),
        "[\n{\"label\":\"skip=add, \\\"n\\\" & µ\",\"seed\":-3,\"value\":0.30000000000000004,\"baseline\":true},\n\
         {\"label\":null,\"seed\":null,\"value\":null,\"baseline\":null}\n]\n"
    );
    assert_eq!(text(DataFormat::Json, &[]), "[]\n");
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_gives_back_what_it_was_given() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    // More than one row group.
    let many: Vec<[Value<'_>; 4]> = rows().into_iter().cycle().take((1 << 16) + 3).collect();
    let bytes = written(DataFormat::Parquet, &many);
    assert_eq!(bytes, written(DataFormat::Parquet, &many), "the same rows, the same bytes");
    let reader = |bytes: &[u8]| {
        use std::io::Write;
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(bytes).expect("written");
        SerializedFileReader::new(file).expect("is Parquet")
    };
    let whole = reader(&bytes);
    assert_eq!(whole.num_row_groups(), 2);
    let read: Vec<Vec<Field>> = whole
        .get_row_iter(None)
        .expect("rows")
        .map(|row| row.expect("a row").get_column_iter().map(|(_, field)| field.clone()).collect())
        .collect();
    assert_eq!(read.len(), many.len());
    let first = vec![
        Field::Str("skip=add, \"n\" & µ".to_owned()),
        Field::Long(-3),
        Field::Double(0.1 + 0.2),
        Field::Bool(true),
    ];
    assert_eq!((&read[0], &read[many.len() - 1]), (&first, &first));
    assert_eq!(read[1], [Field::Null, Field::Null, Field::Null, Field::Null]);
    let none = reader(&written(DataFormat::Parquet, &[]));
    assert_eq!(none.metadata().file_metadata().num_rows(), 0);
}
