//! Tests of one frame in every format.

use super::{Column, ColumnKind, DataFormat, Value, writer};

fn columns() -> Vec<Column> {
    vec![
        Column::new("label", ColumnKind::Text),
        Column::new("seed", ColumnKind::Integer),
        Column::new("value", ColumnKind::Number),
        Column::new("baseline", ColumnKind::Boolean),
    ]
}

fn rows() -> Vec<[Value<'static>; 4]> {
    vec![
        [
            Value::of_text(Some("skip=add, \"n\" & µ")),
            Value::Integer(-3),
            Value::Number(0.1 + 0.2),
            Value::Boolean(true),
        ],
        [Value::Absent, Value::Absent, Value::Absent, Value::Absent],
    ]
}

fn write_frame(format: DataFormat, rows: &[[Value<'_>; 4]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut out = writer(format, columns(), &mut bytes).expect("begins");
    rows.iter().for_each(|row| out.row(row).expect("written"));
    out.finish().expect("ends");
    bytes
}

fn text(format: DataFormat, rows: &[[Value<'_>; 4]]) -> String {
    String::from_utf8(write_frame(format, rows)).expect("UTF-8")
}

#[test]
fn csv_quotes_where_necessary_and_keeps_every_digit() {
    assert_eq!(
        text(DataFormat::Csv, &rows()),
        "label,seed,value,baseline\n\"skip=add, \"\"n\"\" & µ\",-3,0.30000000000000004,true\n,,,\n"
    );
}

#[test]
fn json_is_an_array_of_objects_even_without_rows() {
    assert_eq!(
        text(DataFormat::Json, &rows()),
        "[\n{\"label\":\"skip=add, \\\"n\\\" & µ\",\"seed\":-3,\"value\":0.30000000000000004,\"baseline\":true},\n\
         {\"label\":null,\"seed\":null,\"value\":null,\"baseline\":null}\n]\n"
    );
    assert_eq!(text(DataFormat::Json, &[]), "[]\n");
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_round_trips() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    // More than one row group.
    let many: Vec<[Value<'_>; 4]> = rows().into_iter().cycle().take((1 << 16) + 3).collect();
    let bytes = write_frame(DataFormat::Parquet, &many);
    assert_eq!(bytes, write_frame(DataFormat::Parquet, &many), "equal rows give equal bytes");
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
    let none = reader(&write_frame(DataFormat::Parquet, &[]));
    assert_eq!(none.metadata().file_metadata().num_rows(), 0);
}
