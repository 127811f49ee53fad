//! What stays and what goes: backups, quota, retention; models that are chosen, and shadows.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lobule_dicomio::read_keys;
use lobule_server::{
    Choice, Config, ErrorKind, Exposure, ModelInUse, ModelPackage, ModelRole, Others, Reading,
    Server, StudyFile, StudyReader, back_up, choose_model, chosen_models, compare_models,
    roll_back_model,
};

use crate::web::Client;
use crate::{deliver, done, instance_of, start, wait_for};

fn stop(server: Server) {
    server.stop();
    server.wait();
}

fn report(out: &Path) {
    std::fs::create_dir_all(out.join("dicom/exam")).unwrap();
    std::fs::write(out.join("dicom/exam/sc.dcm"), "object").unwrap();
    std::fs::write(out.join("report.html"), "the report").unwrap();
}

#[test]
fn a_backup_made_while_the_service_runs_is_a_service_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
    let server = start(&data, "", |_, _, out| {
        report(out);
        Ok(done())
    });
    let file = instance_of(dir.path(), "one", 1);
    let uid = read_keys(&file).unwrap().study_uid;
    deliver(&server, std::slice::from_ref(&file));
    wait_for(&server, "\"state\":\"done\"");
    let first = back_up(&data, &copy).unwrap();
    assert_eq!((first.instances, first.results, first.missing), (1, 1, 0));
    assert!(first.copied_bytes > 0);
    assert_eq!(back_up(&data, &copy).unwrap().copied_bytes, 0);
    // What comes later comes with the next backup; what goes, goes.
    deliver(&server, &[instance_of(dir.path(), "two", 1)]);
    wait_for(&server, "\"total\":2");
    let client = Client::new(server.http_address());
    assert_eq!(
        client
            .ask("DELETE", &format!("/api/v1/studies/{uid}"))
            .status,
        204
    );
    let second = back_up(&data, &copy).unwrap();
    assert_eq!((second.instances, second.missing), (1, 0));
    stop(server);
    let restored = start(&copy, "", |_, _, out| {
        report(out);
        Ok(done())
    });
    wait_for(&restored, "\"state\":\"done\"");
    let answer = Client::new(restored.http_address())
        .get("/api/v1/studies")
        .json();
    assert_eq!(
        (
            answer["total"].as_u64(),
            answer["studies"][0]["instances"].as_u64()
        ),
        (Some(1), Some(1))
    );
    let in_use = back_up(&data, &copy).unwrap_err();
    assert_eq!(in_use.kind(), ErrorKind::InUse);
    stop(restored);
}

#[test]
fn a_backup_says_what_the_disk_has_changed() {
    let dir = tempfile::tempdir().unwrap();
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
    let server = start(&data, "", |_, _, _| Ok(done()));
    deliver(&server, &[instance_of(dir.path(), "one", 1)]);
    wait_for(&server, "\"state\":\"done\"");
    stop(server);
    assert!(back_up(&data, &data.join("copy")).is_err());
    assert!(back_up(&dir.path().join("nowhere"), &copy).is_err());
    let folders = std::fs::read_dir(data.join("instances")).unwrap().flatten();
    let file = folders
        .flat_map(|f| std::fs::read_dir(f.path()).unwrap().flatten())
        .next()
        .unwrap()
        .path();
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let changed = back_up(&data, &copy).unwrap_err().to_string();
    assert!(changed.contains("other bytes"), "{changed}");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(back_up(&data, &copy).unwrap().missing, 1);
}

#[test]
fn old_studies_go_and_young_ones_stay() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = start(&data, "", |_, _, _| Ok(done()));
    deliver(
        &server,
        &[
            instance_of(dir.path(), "one", 1),
            instance_of(dir.path(), "two", 1),
        ],
    );
    wait_for(&server, "\"total\":2");
    let began = Instant::now();
    while Client::new(server.http_address())
        .get("/api/v1/studies?state=done")
        .json()["total"]
        != 2
    {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(50));
    }
    stop(server);
    let database = rusqlite::Connection::open(data.join("lobule.db")).unwrap();
    let sql = "UPDATE study SET last_arrival = last_arrival - 864000000 WHERE id = 1";
    database.execute(sql, []).unwrap();
    drop(database);
    let server = start(&data, "[keep]\ndays = 7\n", |_, _, _| Ok(done()));
    wait_for(&server, "\"total\":1");
    stop(server);
    let kept = std::fs::read_dir(data.join("instances")).unwrap().flatten();
    assert_eq!(
        kept.flat_map(|f| std::fs::read_dir(f.path()).unwrap())
            .count(),
        1
    );
}

/// Gives the score of the model in use; shadows are sure of it.
struct Choosing {
    choices: Arc<Mutex<Vec<Choice>>>,
    now: Choice,
}

impl StudyReader for Choosing {
    fn read(&mut self, _: &[StudyFile], out: &Path) -> Result<Reading, String> {
        report(out);
        let is_shadow = self.now.others == Others::None;
        Ok(Reading {
            score: Some(if is_shadow { 0.75 } else { 0.25 }),
            flagged: is_shadow,
            ..done()
        })
    }

    fn choose(&mut self, choice: &Choice) -> Result<(), String> {
        self.now = choice.clone();
        self.choices.lock().unwrap().push(choice.clone());
        Ok(())
    }

    fn models(&self) -> Vec<ModelInUse> {
        let name = self
            .now
            .packages
            .last()
            .map_or("usual", |p| p.name.as_str());
        vec![ModelInUse {
            modality: "ultrasound".to_owned(),
            name: name.to_owned(),
            version: "1".to_owned(),
            digest: "d".to_owned(),
        }]
    }
}

fn model(name: &str) -> ModelPackage {
    ModelPackage {
        modality: "ultrasound".to_owned(),
        folder: Path::new("/models").join(name),
        name: name.to_owned(),
        digest: name.repeat(20),
    }
}

#[test]
fn models_are_activated_rolled_back_and_shadowed_while_the_service_runs() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let choices = Arc::new(Mutex::new(Vec::new()));
    let reader = Choosing {
        choices: Arc::clone(&choices),
        now: Choice::default(),
    };
    let text = "[dicom]\nport = 0\n[http]\nport = 0\n[study]\ncomplete_after_secs = 1\n\
        [[destination]]\nname = \"archive\"\naddress = \"127.0.0.1:1\"\nae_title = \"A\"\n\
        [[route]]\nsource = \"LAB\"\ndestinations = []\n\
        [[route]]\nsource = \"TEST\"\nmodel = \"/models/rule\"\n";
    let config = Config::parse(text).unwrap();
    let server = Server::start(config, Exposure::Guarded, &data, Box::new(reader)).unwrap();
    choose_model(&data, ModelRole::Active, &model("one")).unwrap();
    choose_model(&data, ModelRole::Active, &model("two")).unwrap();
    choose_model(&data, ModelRole::Shadow, &model("shade")).unwrap();
    assert_eq!(
        chosen_models(&data, ModelRole::Active).unwrap(),
        [model("two")]
    );
    let file = instance_of(dir.path(), "one", 1);
    deliver(&server, std::slice::from_ref(&file));
    wait_for(&server, "\"state\":\"done\"");
    let client = Client::new(server.http_address());
    let began = Instant::now();
    while client.get("/api/v1/models/comparison").json()[0]["shadow_score"] != 0.75 {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(50));
    }
    let compared = compare_models(&data).unwrap();
    assert_eq!(
        (compared[0].score, compared[0].flagged),
        (Some(0.25), false)
    );
    assert!(compared[0].shadow_flagged && compared[0].shadow_reason.is_none());
    let first = choices.lock().unwrap()[0].clone();
    let folders: Vec<_> = first
        .packages
        .iter()
        .map(|p| p.folder.display().to_string())
        .collect();
    assert_eq!(
        folders,
        ["/models/two", "/models/rule"],
        "the rule comes last and holds"
    );
    let models = client.get("/api/v1/models").json();
    let roles: Vec<_> = models
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["role"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(roles, ["active", "shadow"]);
    // Only the result that counts is sent.
    let uid = read_keys(&file).unwrap().study_uid;
    let study = client.get(&format!("/api/v1/studies/{uid}")).json();
    assert_eq!(study["deliveries"].as_array().unwrap().len(), 1);
    assert_eq!(study["score"], 0.25);
    assert_eq!(std::fs::read_dir(data.join("results")).unwrap().count(), 2);
    // Once a study.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(
        choices
            .lock()
            .unwrap()
            .iter()
            .filter(|c| c.others == Others::None)
            .count(),
        1
    );
    assert_eq!(
        roll_back_model(&data, "ultrasound").unwrap(),
        Some(model("one"))
    );
    assert_eq!(
        roll_back_model(&data, "ultrasound").unwrap(),
        Some(model("two"))
    );
    assert_eq!(roll_back_model(&data, "mammography").unwrap(), None);
    choose_model(&data, ModelRole::Shadow, &ModelPackage::none("ultrasound")).unwrap();
    assert_eq!(chosen_models(&data, ModelRole::Shadow).unwrap(), []);
    assert_eq!(
        client
            .ask("DELETE", &format!("/api/v1/studies/{uid}"))
            .status,
        204
    );
    assert_eq!(std::fs::read_dir(data.join("results")).unwrap().count(), 0);
    stop(server);
}
