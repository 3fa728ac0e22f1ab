from tests.flows.story import Story
from tests.phone import Phone
from tests.stack import Product, wait_until


def new_phone(product: Product, handset: str = "chen-li") -> Phone:
    return Phone(product.send(product.client()), handset=handset)


def test_a_person_signs_in_through_wechat_and_it_is_recorded_and_anchored(stack: Product) -> None:
    phone = new_phone(stack)
    status, answer = phone.sign_in(stack.code("chen-li"))
    assert status == 201, answer
    assert answer["session"]["person"]["name"] == "陈黎"

    newest = phone.get("/api/v1/logins/")[1]["results"][0]
    assert (newest["result"], newest["device"]["id"]) == ("opened", answer["session"]["device"]["id"])

    def anchored() -> bool:
        status, event = phone.get(f"/api/v1/events/{newest['event']}/")
        assert (status, event.get("type")) == (200, "session.opened"), event
        return event["anchor"]["state"] == "anchored"

    wait_until(anchored, "the sign-in is anchored")


def test_a_callers_own_word_about_its_address_is_not_recorded(stack: Product) -> None:
    """From loopback, where every proxy of one's own is, and every other program of the machine too."""
    client = stack.client()
    client.headers["X-Forwarded-For"] = "203.0.113.9"
    phone = Phone(stack.send(client))
    assert phone.sign_in(stack.code("chen-li"))[0] == 201
    assert phone.get("/api/v1/logins/")[1]["results"][0]["ip"] == "127.0.0.1"


def test_a_code_opens_one_session_only(stack: Product) -> None:
    code = stack.code("su-qing")
    first, second = new_phone(stack, "su-qing"), new_phone(stack, "su-qing")
    assert first.sign_in(code)[0] == 201
    status, answer = second.sign_in(code)
    assert (status, answer["code"]) == (401, "code-used")
    assert second.token == ""


def test_a_code_that_wechat_never_gave_opens_nothing(stack: Product) -> None:
    status, answer = new_phone(stack).sign_in("0-never-given")
    assert (status, answer["code"]) == (401, "code-invalid")


def test_after_signing_out_the_token_opens_nothing(stack: Product, story: Story) -> None:
    phone = new_phone(stack)
    assert phone.sign_in(stack.code("chen-li"))[0] == 201
    assert phone.send("DELETE", "/api/v1/session/", None, phone.headers())[0] == 204
    status, answer = phone.get("/api/v1/tasks/")
    assert (status, answer["code"]) == (401, "not-authenticated")
