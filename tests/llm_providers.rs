//! Model providers: the three wire formats, failures said in words that help, keys and budgets kept.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/llm_stub.rs"]
mod llm_stub;

use std::sync::Arc;
use std::time::Duration;

use llm_stub::{Answer, KEY, Notes, Stub};
use metrex::llm::{LlmError, Reply, Request, Schema, Spent, open};
use metrex::model::{LlmSettings, Prices, ProviderKind, Recording};
use serde_json::json;
use tokio_util::sync::CancellationToken;

fn request() -> Request {
    Request {
        system: "You write SQL.".to_owned(),
        user: "Count the orders.".to_owned(),
        schema: Some(Schema {
            name: "sql".to_owned(),
            json: json!({
                "type": "object",
                "properties": {"sql": {"type": "string"}},
                "required": ["sql"],
                "additionalProperties": false,
            }),
        }),
        max_tokens: 500,
    }
}

async fn ask(settings: &LlmSettings) -> Result<Reply, LlmError> {
    let provider = open(settings, Arc::new(Notes::default()))?;
    let result = provider
        .complete(&request(), CancellationToken::new())
        .await;
    if let Err(error) = &result {
        let text = error.to_string();
        assert!(
            !text.contains(KEY) && !text.contains("Count the orders"),
            "{text}"
        );
    }
    result
}

async fn openai(answers: impl IntoIterator<Item = Answer>) -> (Result<Reply, LlmError>, Stub) {
    let stub = Stub::start(answers).await;
    let result = ask(&stub.settings(ProviderKind::OpenAi)).await;
    (result, stub)
}

#[tokio::test]
async fn each_provider_is_spoken_to_in_its_own_format() {
    let cases = [
        (
            ProviderKind::OpenAi,
            "/v1/chat/completions",
            "authorization",
        ),
        (
            ProviderKind::Ollama,
            "/v1/chat/completions",
            "authorization",
        ),
        (ProviderKind::Anthropic, "/v1/messages", "x-api-key"),
        (
            ProviderKind::Gemini,
            "/v1/models/stub-1:generateContent",
            "x-goog-api-key",
        ),
    ];
    for (kind, path, header) in cases {
        let stub = Stub::start([Answer::text("{\"sql\": \"SELECT 1\"}")]).await;
        let reply = ask(&stub.settings(kind)).await.unwrap();
        assert_eq!(reply.text, "{\"sql\": \"SELECT 1\"}", "{kind:?}");
        assert_eq!((reply.tokens_in, reply.tokens_out), (11, 7), "{kind:?}");
        assert_eq!(reply.cost, None);
        let seen = &stub.seen()[0];
        assert_eq!(seen.path, path);
        assert_eq!(seen.prompt(), "You write SQL.\nCount the orders.");
        assert_eq!(seen.schema().unwrap()["required"], json!(["sql"]));
        assert!(seen.header(header).unwrap().contains(KEY), "{kind:?}");
        // Nowhere else: not in the address, where logs of proxies would keep it.
        let elsewhere = seen.headers.iter().filter(|(name, _)| name != header);
        assert!(elsewhere.clone().all(|(_, value)| !value.contains(KEY)));
        assert!(!seen.path.contains(KEY) && !seen.body.to_string().contains(KEY));
        assert!(
            seen.body.to_string().contains("500"),
            "max_tokens: {kind:?}"
        );
    }
}

#[tokio::test]
async fn names_of_models_are_sent_as_configured() {
    let stub = Stub::start([Answer::text("x")]).await;
    let mut settings = stub.settings(ProviderKind::OpenAi);
    settings.model = "mistral-medium".to_owned();
    ask(&settings).await.unwrap();
    let body = &stub.seen()[0].body;
    assert_eq!(body["model"], "mistral-medium");
    assert!(body.get("reasoning_effort").is_none(), "{body}");
}

#[tokio::test]
async fn a_busy_provider_is_asked_once_more_when_it_says() {
    let busy = |after: &str| {
        let headers = vec![("retry-after", after.to_owned())];
        Answer::Status(429, headers, "{}".to_owned())
    };
    let (result, stub) = openai([busy("0"), Answer::text("ok")]).await;
    assert_eq!(result.unwrap().text, "ok");
    assert_eq!(stub.seen().len(), 2);
    let (result, stub) = openai([busy("0"), busy("7"), Answer::text("never asked for")]).await;
    let after = Some(Duration::from_secs(7));
    assert_eq!(result, Err(LlmError::RateLimited { retry_after: after }));
    assert_eq!(stub.seen().len(), 2);
    // Nobody waits ten minutes before a prompt.
    let (result, stub) = openai([busy("600"), Answer::text("never asked for")]).await;
    let error = result.unwrap_err();
    assert!(error.to_string().contains("600 seconds"), "{error}");
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn a_wait_until_a_date_is_read_against_the_providers_clock() {
    let headers = vec![
        ("date", "Fri, 20 Nov 2026 12:00:00 GMT".to_owned()),
        ("retry-after", "Fri, 20 Nov 2026 12:05:00 GMT".to_owned()),
    ];
    let (result, _) = openai([Answer::Status(429, headers, "{}".to_owned())]).await;
    let after = Some(Duration::from_secs(300));
    assert_eq!(result, Err(LlmError::RateLimited { retry_after: after }));
}

#[tokio::test]
async fn a_failing_provider_is_asked_once_more() {
    let (result, stub) = openai([Answer::status(500), Answer::text("ok")]).await;
    assert_eq!(result.unwrap().text, "ok");
    assert_eq!(stub.seen().len(), 2);
    let (result, stub) = openai([Answer::status(503), Answer::status(529)]).await;
    assert_eq!(result, Err(LlmError::Server(529)));
    assert_eq!(stub.seen().len(), 2);
}

#[tokio::test]
async fn a_connection_that_closes_without_a_word_is_tried_once_more() {
    let (result, stub) = openai([Answer::Close, Answer::text("ok")]).await;
    assert_eq!(result.unwrap().text, "ok");
    assert_eq!(stub.seen().len(), 2);
}

#[tokio::test]
async fn a_server_that_knows_no_schemas_is_asked_without() {
    let (result, stub) = openai([Answer::status(400), Answer::text("ok")]).await;
    assert_eq!(result.unwrap().text, "ok");
    let seen = stub.seen();
    assert!(seen[0].schema().is_some() && seen[1].schema().is_none());
    assert_eq!(seen[0].prompt(), seen[1].prompt());
}

#[tokio::test]
async fn a_refused_key_says_which_one_to_set_and_is_never_repeated() {
    let body = json!({"error": {"message": format!("Incorrect API key\u{1b}[31m {KEY}")}});
    let (result, stub) = openai([Answer::Status(401, Vec::new(), body.to_string())]).await;
    let error = result.unwrap_err().to_string();
    assert!(error.contains("Incorrect API key"), "{error}");
    assert!(error.contains("api_key_command"), "{error}");
    assert!(!error.contains('\u{1b}'), "{error:?}");
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn a_refused_request_repeats_what_the_provider_said() {
    let (result, _) = openai([Answer::status(404)]).await;
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("404") && error.contains("said the stub"),
        "{error}"
    );
}

#[tokio::test]
async fn a_silent_provider_is_given_up_in_time() {
    let stub = Stub::start([Answer::Hang]).await;
    let settings = LlmSettings {
        timeout: Duration::from_millis(200),
        ..stub.settings(ProviderKind::Anthropic)
    };
    let error = ask(&settings).await.unwrap_err();
    assert_eq!(error, LlmError::Timeout(Duration::from_millis(200)));
}

#[tokio::test]
async fn a_reply_that_breaks_off_is_no_reply() {
    for answer in [Answer::CutInTheMiddle, Answer::CutWithoutLength] {
        let (result, _) = openai([answer.clone()]).await;
        assert_eq!(result, Err(LlmError::Cut), "{answer:?}");
    }
}

#[tokio::test]
async fn replies_that_are_cut_filtered_empty_or_huge_are_refused() {
    for kind in [
        ProviderKind::OpenAi,
        ProviderKind::Anthropic,
        ProviderKind::Gemini,
    ] {
        let stub = Stub::start([
            Answer::TooLong("{\"sql\": \"SEL".to_owned()),
            Answer::Filtered,
            Answer::text(" \n"),
            Answer::text("x".repeat(5 << 20)),
        ])
        .await;
        let settings = stub.settings(kind);
        assert_eq!(
            ask(&settings).await,
            Err(LlmError::TooLong(500)),
            "{kind:?}"
        );
        let error = ask(&settings).await.unwrap_err();
        assert!(matches!(error, LlmError::Declined(_)), "{kind:?}: {error}");
        let error = ask(&settings).await.unwrap_err();
        assert!(matches!(error, LlmError::Malformed(_)), "{kind:?}: {error}");
        let error = ask(&settings).await.unwrap_err();
        assert!(error.to_string().contains("5120 KB"), "{kind:?}: {error}");
    }
}

#[tokio::test]
async fn an_address_that_is_no_provider_is_pointed_out() {
    let headers = vec![("content-type", "text/html".to_owned())];
    let page = "<html>the portal of the hotel</html>".to_owned();
    let (result, _) = openai([Answer::Status(200, headers, page)]).await;
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("text/html") && error.contains("base_url"),
        "{error}"
    );
    let mut settings = Stub::start([]).await.settings(ProviderKind::OpenAi);
    settings.base_url = Some("http://127.0.0.1:1/v1".to_owned());
    let error = ask(&settings).await.unwrap_err();
    assert!(matches!(error, LlmError::Network(_)), "{error}");
}

#[tokio::test]
async fn redirects_are_not_followed_with_the_key() {
    let elsewhere = Stub::start([Answer::text("stolen")]).await;
    let to = format!("{}/chat/completions", elsewhere.url());
    let (result, _) = openai([Answer::Status(307, vec![("location", to)], String::new())]).await;
    assert!(result.is_err());
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn cancelling_ends_a_call_at_once() {
    let stub = Stub::start([Answer::Hang]).await;
    let provider = open(
        &stub.settings(ProviderKind::OpenAi),
        Arc::new(Notes::default()),
    )
    .unwrap();
    let cancel = CancellationToken::new();
    let stop = async {
        stub.requests(1).await;
        cancel.cancel();
    };
    let request = request();
    let (result, ()) = tokio::join!(provider.complete(&request, cancel.clone()), stop);
    assert_eq!(result, Err(LlmError::Cancelled));
}

#[tokio::test]
async fn keys_come_from_a_command_or_a_variable_and_missing_ones_are_said() {
    let stub = Stub::start([Answer::text("ok")]).await;
    let without = LlmSettings {
        api_key_command: None,
        ..stub.settings(ProviderKind::OpenAi)
    };
    // A server of one's own needs none, and never gets the one for another server.
    assert_eq!(ask(&without).await.unwrap().text, "ok");
    assert_eq!(stub.seen()[0].header("authorization"), Some("Bearer none"));
    let unset = LlmSettings {
        api_key_env: Some("METREX_TEST_NO_SUCH_KEY".to_owned()),
        ..without.clone()
    };
    let error = ask(&unset).await.unwrap_err().to_string();
    assert!(error.contains("METREX_TEST_NO_SUCH_KEY"), "{error}");
    for (command, why) in [
        ("exit 3", "failed"),
        ("true", "printed no key"),
        ("no-such-program-here secret", "failed"),
    ] {
        let settings = LlmSettings {
            api_key_command: Some(command.to_owned()),
            ..without.clone()
        };
        let error = ask(&settings).await.unwrap_err().to_string();
        assert!(error.contains(why) && !error.contains("secret"), "{error}");
    }
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn a_budget_is_never_passed() {
    let stub = Stub::start([Answer::text("a"), Answer::text("b")]).await;
    let notes = Arc::new(Notes::default());
    let settings = LlmSettings {
        daily_tokens: Some(700),
        ..stub.settings(ProviderKind::OpenAi)
    };
    let provider = open(&settings, notes.clone()).unwrap();
    let request = Request {
        max_tokens: 600,
        ..request()
    };
    let ask = || provider.complete(&request, CancellationToken::new());
    ask().await.unwrap();
    assert_eq!(notes.spent.lock().unwrap()[0].tokens_in, 11);
    notes.spent.lock().unwrap().push(Spent {
        tokens_in: 200,
        ..Spent::default()
    });
    let error = ask().await.unwrap_err().to_string();
    assert!(error.contains("218 tokens of 700"), "{error}");
    assert!(error.contains("daily_tokens"), "{error}");
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn costs_follow_the_configured_prices() {
    let stub = Stub::start([Answer::text("a"), Answer::text("b")]).await;
    let settings = LlmSettings {
        prices: Some(Prices {
            input: 3.0,
            output: 15.0,
        }),
        daily_cost: Some(0.01),
        ..stub.settings(ProviderKind::Gemini)
    };
    let notes = Arc::new(Notes::default());
    let provider = open(&settings, notes.clone()).unwrap();
    let reply = provider
        .complete(&request(), CancellationToken::new())
        .await
        .unwrap();
    let cost = (11.0 * 3.0 + 7.0 * 15.0) / 1e6;
    assert!((reply.cost.unwrap() - cost).abs() < 1e-12);
    assert!((notes.spent.lock().unwrap()[0].cost - cost).abs() < 1e-12);
    let large = Request {
        max_tokens: 10_000,
        ..request()
    };
    let error = provider
        .complete(&large, CancellationToken::new())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("$0.01"), "{error}");
}

#[tokio::test]
async fn without_a_ledger_there_is_no_limit_to_rely_on() {
    let stub = Stub::start([Answer::text("a")]).await;
    let broken = || {
        Arc::new(Notes {
            broken: true,
            ..Notes::default()
        })
    };
    let limited = LlmSettings {
        daily_tokens: Some(1_000_000),
        ..stub.settings(ProviderKind::OpenAi)
    };
    let provider = open(&limited, broken()).unwrap();
    let request = request();
    let result = provider.complete(&request, CancellationToken::new()).await;
    assert_eq!(
        result,
        Err(LlmError::Ledger("the notes are lost".to_owned()))
    );
    let provider = open(&stub.settings(ProviderKind::OpenAi), broken()).unwrap();
    provider
        .complete(&request, CancellationToken::new())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_key_goes_to_another_machine_over_tls_only() {
    let stub = Stub::start([]).await;
    let settings = |url: &str, key: Option<&str>| LlmSettings {
        base_url: Some(url.to_owned()),
        api_key_env: key.map(str::to_owned),
        api_key_command: None,
        ..stub.settings(ProviderKind::OpenAi)
    };
    let opened = |url, key| open(&settings(url, key), Arc::new(Notes::default())).map(|_| ());
    let far = "http://models.example.com/v1";
    assert_eq!(opened(far, Some("SOME_KEY")), Err(LlmError::InTheClear));
    assert_eq!(opened(far, None), Ok(()));
    assert_eq!(
        opened("https://models.example.com/v1", Some("SOME_KEY")),
        Ok(())
    );
    assert_eq!(opened("http://127.0.0.1:8000/v1", Some("SOME_KEY")), Ok(()));
}

#[tokio::test]
async fn a_recording_replays_without_a_provider_and_holds_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exchanges.jsonl");
    let stub = Stub::start([Answer::text("recorded")]).await;
    let mut settings = stub.settings(ProviderKind::OpenAi);
    settings.recording = Recording::Record(path.clone());
    std::fs::write(&path, "").unwrap();
    let live = ask(&settings).await.unwrap();
    // Also a file that was there before is for its owner's eyes only.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("Count the orders.") && !text.contains(KEY));
    assert_eq!(text.lines().count(), 1);
    settings.recording = Recording::Replay(path.clone());
    assert_eq!(ask(&settings).await.unwrap(), live);
    assert_eq!(stub.seen().len(), 1);
    let provider = open(&settings, Arc::new(Notes::default())).unwrap();
    let other = Request {
        user: "Count the buyers.".to_owned(),
        ..request()
    };
    let error = provider
        .complete(&other, CancellationToken::new())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("no reply to this request"), "{error}");
    settings.model = "another".to_owned();
    assert!(ask(&settings).await.is_err());
    std::fs::write(&path, "not json\n").unwrap();
    let error = ask(&settings).await.unwrap_err().to_string();
    assert!(error.contains("line 1"), "{error}");
}
