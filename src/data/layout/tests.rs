//! Opens a miniature of each layout, and checks the messages if a layout does not fit.

use super::miniature::{self, Miniature, test_images};
use crate::data::{
    CategorySelection, DataSettings, Dataset, FolderSettings, HeldOut, HeldOutChoice, Layout, Reading, check,
};

/// Returns the number of defective pixels of a test image at its own size.
#[track_caller]
fn defective(category: &crate::data::Category, image: &str) -> usize {
    let sample = category.test.iter().find(|sample| sample.image == image).expect("is there");
    // 24 is a multiple of both sides.
    let mask = sample.load_mask(24, Reading::default()).expect("fits").expect("has a mask");
    mask.pixels.iter().filter(|defect| **defect).count() * 8 * 6 / (24 * 24)
}

#[test]
fn mvtec_has_both_names_of_masks() {
    let root = miniature::mvtec();
    let nut = root.only(Layout::Mvtec);
    assert_eq!((nut.train.len(), nut.validation, &nut.held_out), (3, 0, &HeldOut::Fifth));
    assert_eq!(
        test_images(&nut),
        [
            ("test/cut/000.bmp", Some("cut"), 1),
            ("test/cut/001.png", Some("cut"), 1),
            ("test/cut/002.png", Some("cut"), 0),
            ("test/good/000.PNG", None, 0),
        ]
    );
    assert!(
        nut.test[0].load_mask(4, Reading::default()).expect("fits").is_some_and(|mask| mask.pixels.iter().all(|p| *p))
    );
    let message = nut.test[1].load_mask(4, Reading::default()).expect_err("another size").to_string();
    assert!(message.contains("6×6") && message.contains("8×6"), "{message}");
    assert_eq!(nut.test[2].load_mask(4, Reading::default()).expect("no mask"), None);
}

#[test]
fn locos_masks_are_joined_and_its_validation_images_held_out() {
    let root = miniature::loco();
    let pushpins = root.only(Layout::Loco);
    assert_eq!((pushpins.train.len(), pushpins.validation), (5, 2));
    assert_eq!(pushpins.held_out, HeldOut::Given(vec![3, 4]));
    assert!(pushpins.train[3].image.starts_with("validation/good/"));
    assert_eq!(
        test_images(&pushpins),
        [
            ("test/good/000.png", None, 0),
            ("test/logical_anomalies/000.png", Some("logical_anomalies"), 2),
            ("test/structural_anomalies/000.png", Some("structural_anomalies"), 1),
        ]
    );
    assert_eq!(defective(&pushpins, "test/logical_anomalies/000.png"), 2);
    assert_eq!(defective(&pushpins, "test/structural_anomalies/000.png"), 1);
    let report = check(&root.settings(None)).expect("finds");
    assert_eq!((report.categories[0].several_masks, report.is_sound()), (1, true));
    assert!(report.notes.iter().any(|note| note.contains("union")), "{:?}", report.notes);
    // A mask with a value that the file does not list is found before any stage starts.
    let config = root.path("pushpins/defects_config.json");
    let listed = std::fs::read_to_string(&config).expect("readable");
    root.text("pushpins/defects_config.json", &listed.replace("240", "241"));
    let error = pushpins.check(Reading::default()).expect_err("refused").to_string();
    assert!(error.contains("structural_anomalies/000/000.png has the value 240"), "{error}");
    let report = check(&root.settings(None)).expect("finds");
    assert_eq!(report.categories[0].problems, [error]);
    std::fs::remove_file(&config).expect("removed");
    let report = check(&root.settings(None)).expect("finds");
    assert!(report.is_sound() && report.categories[0].findings[0].contains("sPRO"), "{report:?}");
    root.text("pushpins/defects_config.json", &listed);
    // The second mask of an image also changes the digest.
    let before = pushpins.mask_digest().expect("readable");
    root.mask("pushpins/ground_truth/logical_anomalies/000/001.png", (5, 4), 255);
    assert_ne!(root.only(Layout::Loco).mask_digest().expect("readable"), before);
}

#[test]
fn mvtec_ad2_has_a_public_test_part() {
    let can = miniature::ad2().only(Layout::MvtecAd2);
    assert_eq!((can.train.len(), can.validation, &can.held_out), (3, 1, &HeldOut::Given(vec![2])));
    let test = [("test_public/bad/000_overexposed.png", Some("bad"), 1), ("test_public/good/000_regular.png", None, 0)];
    assert_eq!(test_images(&can), test);
}

#[test]
fn btads_masks_have_endings_of_their_own() {
    let root = miniature::btad();
    let first = root.only(Layout::Btad);
    assert_eq!(first.train.len(), 2);
    let test =
        [("test/ko/0000.bmp", Some("ko"), 1), ("test/ko/0001.png", Some("ko"), 1), ("test/ok/0000.bmp", None, 0)];
    assert_eq!(test_images(&first), test);
    assert_eq!(defective(&first, "test/ko/0000.bmp"), 1);
}

#[test]
fn visa_is_split_by_its_table() {
    let root = miniature::visa();
    let candle = root.only(Layout::Visa);
    let train: Vec<&str> = candle.train.iter().map(|sample| sample.image.as_str()).collect();
    assert_eq!(train, ["Data/Images/Normal/0000.JPG", "Data/Images/Normal/0002.JPG"]);
    let test = [("Data/Images/Anomaly/000.JPG", Some("anomaly"), 1), ("Data/Images/Normal/0001.JPG", None, 0)];
    assert_eq!(test_images(&candle), test);
    assert_eq!(defective(&candle, "Data/Images/Anomaly/000.JPG"), 1, "class 1 is a defect");
}

#[test]
fn a_wrong_table_of_visa_is_told_with_its_line_and_column() {
    let root = miniature::visa();
    let head = "object,split,label,image,mask\n";
    let wrong: [(&str, &[&str]); 8] = [
        ("object,split,image,mask\n", &["line 1", "`label`"]),
        (
            &format!("{head}candle,training,normal,candle/Data/Images/Normal/0000.JPG,\n"),
            &["line 2", "`split`", "training"],
        ),
        (&format!("{head}candle,test,bad,candle/Data/Images/Normal/0000.JPG,\n"), &["line 2", "`label`", "anomaly"]),
        (&format!("{head}candle,train,anomaly,candle/Data/Images/Anomaly/000.JPG,\n"), &["line 2", "`label`"]),
        (&format!("{head}candle,train,normal,candle/Data/Images/Normal/9.JPG,\n"), &["line 2", "`image`", "9.JPG"]),
        (&format!("{head}candle,train,normal,cashew/Data/Images/Normal/0000.JPG,\n"), &["`image`", "below candle/"]),
        (&format!("{head}candle,test,anomaly,candle/Data/Images/Anomaly/000.JPG,gone.png\n"), &["`mask`", "gone.png"]),
        (&format!("{head}candle,test\n"), &["line 2", "1cls.csv"]),
    ];
    for (table, parts) in wrong {
        root.text("split_csv/1cls.csv", table);
        let message = root.refused(None);
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
    let twice = "candle,train,normal,candle/Data/Images/Normal/0000.JPG,\n";
    root.text("split_csv/1cls.csv", &format!("{head}{twice}{twice}"));
    assert!(root.refused(None).contains("line 3, column `image`: it is in line 2 already"));
    std::fs::remove_file(root.path("split_csv/1cls.csv")).expect("removed");
    assert!(root.refused(Some(Layout::Visa)).contains("split_csv/1cls.csv does not exist"));
}

#[test]
fn data_sets_in_mvtecs_arrangement_are_known_by_their_categories() {
    let candle = miniature::visa_prepared().only(Layout::Visa);
    assert_eq!(test_images(&candle), [("test/bad/000.JPG", Some("bad"), 1), ("test/good/0002.JPG", None, 0)]);
    let root = miniature::mpdd();
    assert_eq!(root.only(Layout::Mpdd).test[1].defect.as_deref(), Some("major_rust"));
    let report = check(&root.settings(None)).expect("finds");
    assert_eq!(report.categories[0].published.map(|counts| counts.train), Some(54));
    // A layout that the sweep file names is not questioned.
    assert_eq!(root.open(Some(Layout::Mvtec)).expect("the same folders").layout(), Layout::Mvtec);
}

#[test]
fn a_layout_that_does_not_fit_is_told_with_what_is_there() {
    for (root, is, wrong) in [
        (miniature::mvtec(), "mvtec (nut)", Layout::Loco),
        (miniature::loco(), "loco (pushpins)", Layout::Mvtec),
        (miniature::ad2(), "mvtec-ad2 (can)", Layout::Mvtec),
        (miniature::btad(), "btad (01)", Layout::Mpdd),
        (miniature::visa(), "visa (candle)", Layout::Btad),
    ] {
        let message = root.refused(Some(wrong));
        assert!(message.contains(&format!("it looks like {is}")), "{message}");
        assert!(message.contains(&format!("data.layout = \"{}\"", wrong.name())), "{message}");
    }
}

#[test]
fn several_layouts_below_one_root_are_told_or_chosen_from() {
    let root = miniature::mvtec();
    for image in ["02/train/ok/0.bmp", "02/train/ok/1.bmp", "02/test/ok/0.bmp"] {
        root.image(image);
    }
    let message = root.refused(None);
    assert!(message.contains("btad (02) and mvtec (nut)"), "{message}");
    let named = |name: &str, layout| {
        let categories = CategorySelection::Named(vec![name.to_owned()]);
        Dataset::open(&DataSettings { categories, ..root.settings(layout) })
    };
    assert_eq!(named("02", None).expect("one layout").layout(), Layout::Btad);
    let message = named("02", Some(Layout::Mvtec)).expect_err("the other").to_string();
    assert!(message.contains("02 does not match data.layout = \"mvtec\""), "{message}");
    let report = check(&root.settings(Some(Layout::Mvtec))).expect("finds");
    assert_eq!(report.notes[0], "left out because they look like btad: 02");
}

#[test]
fn a_root_one_level_too_high_or_too_deep_is_test_images() {
    let root = miniature::mvtec();
    let at = |path: std::path::PathBuf| Dataset::open(&DataSettings::at(&path, Some(Layout::Mvtec)));
    let message = at(root.path("nut")).expect_err("a category").to_string();
    assert!(message.contains("looks like a category itself"), "{message}");
    let parent = Miniature::with(&["set/nut/train/good/0.png"]);
    assert!(parent.refused(None).contains("set holds some: set data.root to it"));
    let empty = Miniature::with(&[]);
    assert!(empty.refused(None).contains("data.folder"));
    assert!(empty.refused(Some(Layout::Btad)).contains("ROOT/<category>/train/ok"));
}

fn own_folders() -> (Miniature, DataSettings) {
    let root = Miniature::with(&[
        "a/pictures/fine/0.png",
        "a/pictures/fine/1.png",
        "a/pictures/check/0.png",
        "a/pictures/fine-test/0.png",
        "a/broken/0.png",
        "a/dirty/wet/0.png",
        "a/dirty/dusty/0.png",
        "other/0.png",
    ]);
    root.mask("a/marks/0.png", (1, 1), 255);
    root.mask("a/marks/wet/0_mask.bmp", (1, 1), 255);
    let folder = FolderSettings {
        normals: "pictures/fine".to_owned(),
        validation: Some("pictures/check".to_owned()),
        test_normals: Some("pictures/fine-test".to_owned()),
        anomalies: vec!["broken".to_owned(), "dirty".to_owned()],
        masks: vec!["marks".to_owned()],
    };
    let settings = DataSettings { folder: Some(folder), ..root.settings(Some(Layout::Folder)) };
    (root, settings)
}

#[test]
fn folders_may_have_any_names() {
    let (_root, settings) = own_folders();
    let dataset = Dataset::open(&settings).expect("opens");
    assert_eq!((dataset.layout(), dataset.categories().len()), (Layout::Folder, 1));
    let category = &dataset.categories()[0];
    assert_eq!((category.train.len(), category.validation), (3, 1));
    assert_eq!(
        test_images(category),
        [
            ("broken/0.png", Some("broken"), 1),
            ("dirty/dusty/0.png", Some("dusty"), 0),
            ("dirty/wet/0.png", Some("wet"), 1),
            ("pictures/fine-test/0.png", None, 0),
        ]
    );
}

#[test]
fn a_named_folder_that_is_not_there_is_test_images() {
    type Change = fn(&mut FolderSettings);
    let cases: [(Change, &str); 4] = [
        (|folder| folder.normals = "fine".to_owned(), "data.folder.normals is \"fine\""),
        (|folder| folder.validation = Some("valid".to_owned()), "data.folder.validation must be"),
        (|folder| folder.anomalies.push("wrong".to_owned()), "data.folder.anomalies must be"),
        (|folder| folder.masks = vec!["mask".to_owned()], "correct data.folder.masks"),
    ];
    for (change, expected) in cases {
        let (_root, mut settings) = own_folders();
        settings.folder.iter_mut().for_each(change);
        let message = Dataset::open(&settings).expect_err("misspelt").to_string();
        assert!(message.contains(expected), "{message}");
    }
    let (root, settings) = own_folders();
    std::fs::remove_file(root.path("a/pictures/check/0.png")).expect("removed");
    let message = Dataset::open(&settings).expect_err("empty").to_string();
    assert!(message.contains("pictures/check of a has 0 images, needs at least 1"), "{message}");
}

#[test]
fn a_jpeg_is_no_mask() {
    let root = miniature::mpdd();
    std::fs::remove_file(root.path("metal_plate/ground_truth/major_rust/000_mask.png")).expect("removed");
    root.image("metal_plate/ground_truth/major_rust/000_mask.jpg");
    let opened = |mask_threshold| {
        let settings = DataSettings { mask_threshold, ..root.settings(None) };
        Dataset::open(&settings).expect("opens").categories()[0].check(Reading::default())
    };
    let message = opened(0).expect_err("lossy").to_string();
    assert!(message.contains("000_mask.jpg") && message.contains("save it as PNG"), "{message}");
    assert!(opened(127).is_ok(), "above a threshold it is exact enough");
}

#[test]
fn a_sweep_file_says_what_is_held_out() {
    let root = miniature::loco();
    let with = |held_out| Dataset::open(&DataSettings { held_out, ..root.settings(None) });
    let share = with(HeldOutChoice::Share(0.5)).expect("opens");
    let category = &share.categories()[0];
    assert_eq!((category.train.len(), category.validation, &category.held_out), (3, 0, &HeldOut::Share(0.5)));
    let images = |names: &[&str]| HeldOutChoice::Images(names.iter().map(|name| (*name).to_owned()).collect());
    let listed = with(images(&["pushpins/train/good/001.png"])).expect("opens");
    assert_eq!(listed.categories()[0].held_out, HeldOut::Given(vec![1]));
    let wrong: [(&[&str], &str); 4] = [
        (&["pushpins/train/good/007.png"], "lists pushpins/train/good/007.png"),
        (&["pushpins/test/good/000.png"], "such as pushpins/train/good/000.png"),
        (&["pushpins/train/good/001.png", "pins/train/good/001.png"], "lists pins/train/good/001.png"),
        (
            &["pushpins/train/good/000.png", "pushpins/train/good/001.png", "pushpins/train/good/002.png"],
            "3 of 3 training images would be held out",
        ),
    ];
    for (names, told) in wrong {
        let message = with(images(names)).expect_err("cannot be held out").to_string();
        assert!(message.contains(told), "{message}");
    }
    // Remove the validation images from a data set whose layout has them.
    std::fs::remove_dir_all(root.path("pushpins/validation/good")).expect("removed");
    assert!(root.refused(None).contains("validation/good of pushpins has 0 images"));
    assert_eq!(with(HeldOutChoice::Share(0.2)).expect("opens").categories()[0].held_out, HeldOut::Fifth);
}

#[test]
fn a_wrong_category_suggests_the_near_one() {
    let root = miniature::mvtec();
    let categories = CategorySelection::Named(vec!["nutt".to_owned()]);
    let settings = DataSettings { categories, ..root.settings(Some(Layout::Mvtec)) };
    let message = Dataset::open(&settings).expect_err("unknown").to_string();
    assert!(message.contains("did you mean `nut`"), "{message}");
}

#[test]
fn an_empty_part_and_a_missing_root_are_refused() {
    let root = Miniature::with(&[]);
    std::fs::create_dir_all(root.path("nut/train/good")).expect("created");
    let message = root.refused(Some(Layout::Mvtec));
    assert!(message.contains("train/good of nut has 0 images"), "{message}");
    let gone = Dataset::open(&DataSettings::at(&root.path("gone"), None)).expect_err("missing").to_string();
    assert!(gone.contains("DIDACT_DATA"), "{gone}");
}

#[test]
fn digests_follow_content_not_names() {
    let root = miniature::mvtec();
    let open = || root.open(None).expect("opens");
    let before = open().categories()[0].clone();
    std::fs::rename(root.path("nut"), root.path("seed")).expect("renamed");
    let after = open().categories()[0].clone();
    assert_eq!(before.train_digest().ok(), None, "the old paths are gone");
    let train = after.train_digest().expect("readable");
    root.mask("seed/train/good/001.png", (1, 1), 9);
    assert_ne!(open().categories()[0].train_digest().expect("readable"), train);
}
