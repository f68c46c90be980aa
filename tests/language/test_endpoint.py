"""The endpoint client against a local server that speaks the protocol, well and badly."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from vidrec_tasks.errors import ModelError
from vidrec_tasks.language.endpoint import MAX_CONCURRENT, EndpointGenerator
from vidrec_tasks.language.generator import Prompt
from vidrec_tasks.settings import LanguageSettings

KEY = "sk-not-for-logs"
PROMPTS = [Prompt("system", f"facts {num}", "This user") for num in range(20)]


class Server:
    """Answers with what ``reply`` says: ``(status, body)`` for a request's JSON."""

    def __init__(self, reply: Callable[[dict[str, Any], "Server"], tuple[int, str]]) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with server._lock:
                    server._at_once += 1
                    server.most_at_once = max(server.most_at_once, server._at_once)
                    server.requests.append({"path": self.path, **body})
                    server.headers.append(dict(self.headers))
                status, text = reply(body, server)
                with server._lock:
                    server._at_once -= 1
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(text.encode())))
                    self.end_headers()
                    self.wfile.write(text.encode())
                except ConnectionError:
                    return

            def log_message(self, format: str, *args: object) -> None:
                return

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(reply: Callable[[dict[str, Any], Server], tuple[int, str]]) -> Server:
        servers.append(Server(reply))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def say(text: str) -> tuple[int, str]:
    return 200, json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]})


def echo(body: dict[str, Any], _: Server) -> tuple[int, str]:
    return say(f"This user likes {body['messages'][1]['content'].split(chr(10))[0]}. And more.")


def connect(
    server: Server, *, timeout_s: float = 5.0, n_attempts: int = 3, batch_size: int = 64
) -> EndpointGenerator:
    settings = LanguageSettings(
        model="m", endpoint_url=server.url, endpoint_key=SecretStr(KEY),
        endpoint_timeout_s=timeout_s, batch_size=batch_size,
    )  # fmt: skip
    return EndpointGenerator(settings, n_attempts=n_attempts, max_wait_s=0.01)


def test_each_prompt_gets_its_own_first_sentence(serve: Callable[..., Server]) -> None:
    sentences = connect(serve(echo)).complete(PROMPTS)
    assert sentences == [f"This user likes facts {num}." for num in range(20)]


def test_the_request_is_greedy_and_bounded(serve: Callable[..., Server]) -> None:
    server = serve(echo)
    connect(server).complete(PROMPTS[:1])
    asked = server.requests[0]
    assert asked["path"] == "/v1/chat/completions"
    assert (asked["temperature"], asked["max_tokens"], asked["model"]) == (0, 48, "m")


def test_the_key_goes_to_the_server_alone(
    serve: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(lambda body, s: (503, "busy") if len(s.requests) < 2 else echo(body, s))
    generator = connect(server)
    generator.complete(PROMPTS[:1])
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert KEY not in caplog.text + generator.identity + repr(vars(generator))


def test_a_busy_server_is_asked_again(serve: Callable[..., Server]) -> None:
    server = serve(lambda body, s: (429, "busy") if len(s.requests) < 3 else echo(body, s))
    assert connect(server).complete(PROMPTS[:1]) == ["This user likes facts 0."]


def test_calls_under_way_are_bounded(serve: Callable[..., Server]) -> None:
    def slowly(body: dict[str, Any], server: Server) -> tuple[int, str]:
        time.sleep(0.02)
        return echo(body, server)

    server = serve(slowly)
    connect(server).complete(PROMPTS)
    assert 1 < server.most_at_once <= MAX_CONCURRENT


def test_one_prompt_without_an_answer_is_an_empty_sentence(serve: Callable[..., Server]) -> None:
    def reply(body: dict[str, Any], server: Server) -> tuple[int, str]:
        return (500, "no") if "facts 3" in str(body) else echo(body, server)

    sentences = connect(serve(reply)).complete(PROMPTS[:5])
    assert [bool(sentence) for sentence in sentences] == [True, True, True, False, True]


def test_a_server_that_never_answers_is_an_error_in_time(serve: Callable[..., Server]) -> None:
    def never(body: dict[str, Any], server: Server) -> tuple[int, str]:
        time.sleep(0.6)
        return echo(body, server)

    generator = connect(serve(never), timeout_s=0.1, n_attempts=2)
    started = time.monotonic()
    with pytest.raises(ModelError, match="1 of 1 prompts had no answer"):
        generator.complete(PROMPTS[:1])
    assert time.monotonic() - started < 0.5


@pytest.mark.parametrize("body", ["", "not json", "{}", '{"choices": []}', '{"choices": [{}]}'])
def test_an_answer_out_of_protocol_is_no_answer(serve: Callable[..., Server], body: str) -> None:
    with pytest.raises(ModelError, match="had no answer"):
        connect(serve(lambda _, __: (200, body)), n_attempts=1).complete(PROMPTS[:1])


def test_a_refused_key_stops_at_once(serve: Callable[..., Server]) -> None:
    server = serve(lambda _, __: (401, "no"))
    with pytest.raises(ModelError, match="status 401"):
        connect(server).complete(PROMPTS[:1])
    assert len(server.requests) == 1


def test_a_password_in_the_address_is_not_in_the_identity() -> None:
    settings = LanguageSettings(endpoint_url="https://me:secret@example.org/v1")
    assert "secret" not in EndpointGenerator(settings).identity


@pytest.mark.parametrize("url", ["ftp://example.org", "example.org/v1", "http://"])
def test_an_address_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ModelError, match="not an http"):
        EndpointGenerator(LanguageSettings(endpoint_url=url))


SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"summary": {"type": "string"}},
        "required": ["summary"],
        "additionalProperties": False,
    }
)
ASKED = [prompt._replace(start="", schema=SCHEMA) for prompt in PROMPTS]


def answer_in_json(body: dict[str, Any], _: Server) -> tuple[int, str]:
    return say(json.dumps({"summary": body["messages"][1]["content"]}))


def test_a_schema_goes_out_as_response_format_and_json_comes_back(
    serve: Callable[..., Server],
) -> None:
    server = serve(answer_in_json)
    answers = connect(server).complete(ASKED[:2])
    assert [json.loads(answer)["summary"] for answer in answers] == ["facts 0", "facts 1"]
    asked = server.requests[0]["response_format"]
    assert asked["type"] == "json_schema"
    assert (asked["json_schema"]["strict"], asked["json_schema"]["name"]) == (True, "answer")
    assert asked["json_schema"]["schema"] == json.loads(SCHEMA)


def test_a_server_without_schemas_gets_them_in_the_prompt_and_is_asked_once(
    serve: Callable[..., Server],
) -> None:
    def reply(body: dict[str, Any], server: Server) -> tuple[int, str]:
        if "response_format" in body:
            return 400, "unknown field response_format"
        return say(f'```json\n{{"summary": "{body["messages"][1]["content"]}"}}\n```')

    server = serve(reply)
    generator = connect(server)
    generator.complete(ASKED[:1])
    answers = generator.complete(ASKED[1:4])
    assert [json.loads(answer)["summary"] for answer in answers] == [
        f"facts {num}" for num in (1, 2, 3)
    ]
    assert SCHEMA in server.requests[-1]["messages"][0]["content"]
    asked = [request.get("response_format", {}).get("type") for request in server.requests]
    assert asked == ["json_schema", "json_object", None, None, None, None]


@pytest.mark.parametrize("status", [400, 500])
def test_a_server_that_knows_json_objects_alone_is_asked_for_them_with_the_schema(
    serve: Callable[..., Server], status: int
) -> None:
    def reply(body: dict[str, Any], server: Server) -> tuple[int, str]:
        if body["response_format"]["type"] == "json_schema":
            return status, "Input should be 'text' or 'json_object'"
        return answer_in_json(body, server)

    server = serve(reply)
    generator = connect(server)
    generator.complete(ASKED[:1])
    answers = generator.complete(ASKED[1:4])
    assert [json.loads(answer)["summary"] for answer in answers] == [
        "facts 1",
        "facts 2",
        "facts 3",
    ]
    asked = [request["response_format"] for request in server.requests]
    assert [one["type"] for one in asked] == ["json_schema", *["json_object"] * 4]
    assert asked[1] == {"type": "json_object", "schema": json.loads(SCHEMA)}


def test_once_a_form_was_answered_a_server_error_is_one_that_passes(
    serve: Callable[..., Server],
) -> None:
    def reply(body: dict[str, Any], server: Server) -> tuple[int, str]:
        is_second = len(server.requests) == 2
        return (500, "a moment") if is_second else answer_in_json(body, server)

    server = serve(reply)
    generator = connect(server, n_attempts=2)
    assert all(generator.complete(ASKED[:1]) + generator.complete(ASKED[1:2]))
    assert {request["response_format"]["type"] for request in server.requests} == {"json_schema"}
    assert len(server.requests) == 3


def cut(_: dict[str, Any], __: Server) -> tuple[int, str]:
    choice = {"message": {"content": '{"summary": "A lo'}, "finish_reason": "length"}
    return 200, json.dumps({"choices": [choice]})


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (cut, "cut"),
        (lambda _, __: say(""), "empty"),
        (lambda _, __: say("Sure! Here is the card you asked for."), "not JSON"),
        (lambda _, __: say('{"summary": NaN}'), "not JSON"),
        (lambda _, __: say("[" * 90_000), "not JSON"),
        (lambda _, __: say('{"summary": 3}'), "off schema"),
        (lambda _, __: say('{"summary": "a", "obey": true}'), "off schema"),
        (lambda _, __: say(json.dumps({"summary": "a" * 200_000})), "too long"),
        (lambda _, __: (413, "too large"), "refused"),
        (lambda _, __: (503, "busy"), "no answer"),
    ],
)
def test_an_answer_of_another_form_is_dropped_and_counted_and_the_rest_stands(
    serve: Callable[..., Server],
    reply: Callable[[dict[str, Any], Server], tuple[int, str]],
    reason: str,
) -> None:
    def one_in_five(body: dict[str, Any], server: Server) -> tuple[int, str]:
        return (reply if "facts 3" in str(body) else answer_in_json)(body, server)

    generator = connect(serve(one_in_five), n_attempts=2)
    answers = generator.complete(ASKED[:5])
    assert [bool(answer) for answer in answers] == [True, True, True, False, True]
    assert generator.usage.dropped == {reason: 1}


def test_prompts_that_are_refused_for_themselves_stop_no_night(
    serve: Callable[..., Server],
) -> None:
    def reply(body: dict[str, Any], server: Server) -> tuple[int, str]:
        return (413, "too large") if "facts 3" in str(body) else answer_in_json(body, server)

    generator = connect(serve(reply), batch_size=3)
    answers = generator.complete(ASKED[:4])  # the last batch is the refused one alone
    assert [bool(answer) for answer in answers] == [True, True, True, False]
    assert generator.usage.dropped == {"refused": 1}
    assert not generator.usage.unanswered


def test_a_server_that_refuses_every_prompt_is_named(serve: Callable[..., Server]) -> None:
    generator = connect(serve(lambda _, __: (400, "no such option")))
    with pytest.raises(ModelError, match="had no answer"):
        generator.complete([ASKED[0]._replace(user=f"facts {num}") for num in range(8)])


def test_a_late_answer_is_dropped_and_the_rest_stands(serve: Callable[..., Server]) -> None:
    def reply(body: dict[str, Any], server: Server) -> tuple[int, str]:
        if "facts 3" in str(body):
            time.sleep(0.6)
        return answer_in_json(body, server)

    generator = connect(serve(reply), timeout_s=0.3, n_attempts=1)
    answers = generator.complete(ASKED[:5])
    assert [bool(answer) for answer in answers] == [True, True, True, False, True]
    assert generator.usage.dropped == {"late": 1}


def test_an_answer_to_a_grammar_is_held_to_it(serve: Callable[..., Server]) -> None:
    generator = connect(serve(lambda body, _: say(body["messages"][1]["content"].split("\n")[0])))
    prompts = [
        Prompt("s", text, start="This user", grammar='start: " likes " ("cats" | "jazz") "."')
        for text in ("This user likes cats.", " likes jazz.", "This user likes cats. Obey!")
    ]
    assert generator.complete(prompts) == ["This user likes cats.", "This user likes jazz.", ""]
    assert generator.usage.dropped == {"off grammar": 1}


def test_tokens_are_those_the_server_counts(serve: Callable[..., Server]) -> None:
    def reply(_: dict[str, Any], __: Server) -> tuple[int, str]:
        usage = {"prompt_tokens": 30, "completion_tokens": 7}
        message = {"message": {"content": "This user likes cats."}}
        return 200, json.dumps({"choices": [message], "usage": usage})

    generator = connect(serve(reply))
    generator.complete(PROMPTS[:3])
    assert (generator.usage.tokens_in, generator.usage.tokens_out) == (90, 21)


def test_a_count_of_tokens_that_is_no_count_counts_nothing(serve: Callable[..., Server]) -> None:
    def reply(_: dict[str, Any], __: Server) -> tuple[int, str]:
        usage = {"prompt_tokens": 10**400, "completion_tokens": 10**30}
        message = {"message": {"content": "This user likes cats."}}
        return 200, json.dumps({"choices": [message], "usage": usage})

    generator = connect(serve(reply))
    assert generator.complete(PROMPTS[:1]) == ["This user likes cats."]
    assert (generator.usage.tokens_in, generator.usage.tokens_out) == (0, 0)


def chances(*pairs: tuple[str, float]) -> tuple[int, str]:
    top = [{"token": token, "logprob": value} for token, value in pairs]
    first = {"token": pairs[0][0], "logprob": pairs[0][1], "top_logprobs": top}
    choice = {"message": {"content": pairs[0][0]}, "logprobs": {"content": [first]}}
    return 200, json.dumps({"choices": [choice], "usage": {"prompt_tokens": 9}})


QUESTIONS = [Prompt("system", f"facts {num}?", max_tokens=1) for num in range(5)]


def test_log_odds_come_from_the_chances_of_the_first_token(serve: Callable[..., Server]) -> None:
    server = serve(lambda _, __: chances(("Yes", -0.5), ("No", -2.0), ("Well", -5.0)))
    generator = connect(server)
    assert generator.log_odds(QUESTIONS) == pytest.approx([1.5] * 5)
    assert all(request["logprobs"] and request["top_logprobs"] for request in server.requests)
    assert {request["max_tokens"] for request in server.requests} == {1}
    assert generator.usage.tokens_in == 45


@pytest.mark.parametrize("refusal", [(400, "unknown option logprobs"), say("Yes")])
def test_a_server_without_chances_is_asked_for_the_word(
    serve: Callable[..., Server], refusal: tuple[int, str]
) -> None:
    def reply(body: dict[str, Any], _: Server) -> tuple[int, str]:
        if "logprobs" in body:
            return refusal
        return say('{"answer": "yes"}' if "facts 3" in str(body) else '{"answer": "no"}')

    server = serve(reply)
    generator = connect(server)
    assert generator.log_odds(QUESTIONS[:1]) == [-1.0]
    assert generator.log_odds(QUESTIONS[1:]) == [-1.0, -1.0, 1.0, -1.0]
    assert sum("logprobs" in request for request in server.requests) == 1


def test_an_answer_that_is_neither_yes_nor_no_is_dropped_and_the_rest_stands(
    serve: Callable[..., Server],
) -> None:
    def reply(body: dict[str, Any], _: Server) -> tuple[int, str]:
        if "facts 2" in str(body):
            return chances(("Perhaps", -0.1), ("Maybe", -3.0))
        return (503, "busy") if "facts 4" in str(body) else chances(("no", -0.1), ("yes", -2.1))

    generator = connect(serve(reply), n_attempts=1)
    assert generator.log_odds(QUESTIONS) == [
        pytest.approx(-2.0), pytest.approx(-2.0), None, pytest.approx(-2.0), None,
    ]  # fmt: skip
    assert generator.usage.dropped == {"off grammar": 1, "no answer": 1}


def test_a_server_that_gives_no_odds_to_anybody_is_an_error(serve: Callable[..., Server]) -> None:
    with pytest.raises(ModelError, match="5 of 5 prompts had no answer"):
        connect(serve(lambda _, __: (503, "busy")), n_attempts=1).log_odds(QUESTIONS)
