"""`Resource`: routes without a model, with everything that routes have but items."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from contract import ALICE, Caller, assert_problem, counted, create_table, create_tables, names, stored
from openapi_spec_validator import validate
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    CORS,
    AllowAny,
    Claim,
    ConfigurationError,
    Create,
    HasPermission,
    Idempotency,
    Key,
    List,
    ModelResource,
    OwnedBy,
    Permission,
    PolyMicro,
    RateLimit,
    Resource,
    Retrieve,
    Through,
    action,
)
from polymicro_lambda.cli.explain import explain
from polymicro_lambda.cli.route_table import rows
from polymicro_lambda.cli.serving.curl_session import curl_session
from polymicro_lambda.deploy.template import Options, template
from polymicro_lambda.exceptions import Conflict, Unauthorized
from polymicro_lambda.openapi import openapi
from polymicro_lambda.testing import assert_permission_matrix


class Health(Resource):
    """What watches over the service."""

    route = "health"
    permissions = (AllowAny,)

    @action(detail=False, methods=("GET",), path="")
    def health(self, req: Any, user: Any) -> Any:
        """Whether it is up."""
        return {"ok": True}


class Reports(Resource):
    route = "reports/{year}"

    @action(methods=("GET", "POST"), path="")
    def show(self, request: Any, req: Any) -> Any:
        return {"year": request.path_params["year"], "req": req}

    @action(methods="DELETE", path="")
    def forget(self) -> None:
        """Nothing is left."""


def client(*resources: type[Resource], **said: Any) -> Caller:
    pm = PolyMicro(**said)
    for one in resources:
        one(pm)
    return Caller(pm)


# --- what is answered


def test_health() -> None:
    """Nobody need be anybody, and no table need be there."""
    caller = client(Health)
    up = caller.everywhere("GET", "/health")
    assert (up.status, up.json, up.headers["content-type"]) == (200, {"ok": True}, "application/json")
    assert caller.everywhere("HEAD", "/health").status == 200
    assert caller.everywhere("OPTIONS", "/health").headers["allow"] == "GET, HEAD, OPTIONS"
    assert_problem(caller.everywhere("POST", "/health"), 405)
    assert_problem(caller.everywhere("GET", "/health/health"), 404)


def test_users_and_parameters() -> None:
    """The app's permission is the usual one; what a path says is text."""
    caller = client(Reports)
    assert_problem(caller.everywhere("GET", "/reports/2030"), 401)
    shown = caller.everywhere("GET", "/reports/20%2030", user=ALICE)
    assert (shown.status, shown.json) == (200, {"year": "20 30", "req": {}})
    posted = caller.everywhere("POST", "/reports/1", user=ALICE, json=[1])
    assert (posted.status, posted.json) == (200, {"year": "1", "req": [1]})
    gone = caller.everywhere("DELETE", "/reports/1", user=ALICE)
    assert (gone.status, gone.body) == (204, b"")


class Account(Model):
    class Meta:
        table_name = "accounts"

    name = UnicodeAttribute(hash_key=True)
    visits = NumberAttribute(default=0)


@pytest.fixture
def accounts(dynamodb: None, table_name: str) -> str:
    create_table(Account, table_name)
    return table_name


def test_what_an_action_returns(accounts: str) -> None:
    """Status, headers and cookies; an instance of a model goes out as JSON."""

    class Login(Resource):
        route = "login"
        permissions = AllowAny
        calls: ClassVar[Any] = {Account: ("GetItem", "UpdateItem")}

        @action(path="", status=201)
        def login(self, req: Any) -> Any:
            if req.get("password") != "right":
                raise Unauthorized("Name or password is wrong.")
            account = Account.get(req["name"])
            return account, 200, {"Set-Cookie": ["session=1", "csrf=2"], "X-Tries": 1}

    Account("alice").save()
    caller = client(Login)
    done = caller.post("/login", json={"name": "alice", "password": "right"}, source="http")
    assert (done.status, done.json) == (200, {"name": "alice", "visits": 0})
    assert (done.response["cookies"], done.headers["x-tries"]) == (["session=1", "csrf=2"], "1")
    assert_problem(caller.everywhere("POST", "/login", json={}), 401)


class Accounts(ModelResource, List):
    model = Account
    route = "accounts"
    scan = True
    load_only = ("visits",)


def test_what_a_resource_of_the_model_hides(accounts: str) -> None:
    """An instance goes out as the first resource that has its model shows it."""

    class Me(Resource):
        route = "me"

        @action(methods="GET", path="")
        def me(self) -> Any:
            return {"me": Account.get("alice")}

        @action(methods="GET")
        def several(self) -> Any:
            return Account.scan()

    Account("alice").save()
    for order in ((Me, Accounts), (Accounts, Me)):
        caller = client(*order)
        assert caller.get("/me", user=ALICE).json == {"me": {"name": "alice"}}
        assert caller.get("/me/several", user=ALICE).json == [{"name": "alice"}]


def test_writes_of_models(accounts: str) -> None:
    """``pm.transaction()`` writes items of any model; the resource has no store of its own."""
    pm = PolyMicro()

    class Visits(Resource):
        route = "visits"

        @action(path="")
        def visit(self, user: Any) -> Any:
            with pm.transaction() as write:
                write.update(
                    Key(Account, user.uuid),
                    {"visits": Account.visits + 1},
                    condition=Account.visits < 1,
                    otherwise=Conflict("Once is enough."),
                )
                write.create(Account, {"name": "log"})
            return None

        @action()
        def store_of(self) -> Any:
            return {"store": hasattr(self, "store"), "planner": hasattr(self, "planner")}

    visits = Visits(pm)
    caller = Caller(pm, user=ALICE)
    Account("alice").save()
    with counted() as calls:
        assert caller.post("/visits").status == 204
    assert (names(calls), len(stored(accounts))) == (["TransactWriteItems"], 2)
    again = caller.post("/visits")
    assert (again.status, again.json["detail"]) == (409, "Once is enough.")
    assert caller.post("/visits/store_of").json == {"store": False, "planner": False}
    assert visits.item is None


def test_rates_and_keys(dynamodb: None, table_name: str) -> None:
    said: list[Any] = []

    class Orders(Resource):
        route = "orders"
        idempotent = ("order",)
        rate_limit: ClassVar[Any] = {"order": "2/minute"}

        @action(path="", status=202)
        def order(self, req: Any) -> Any:
            said.append(req)
            return {"number": len(said)}

    pm = PolyMicro(
        idempotency=Idempotency(table=f"{table_name}i"), rate_limit=RateLimit(table=f"{table_name}r")
    )
    Orders(pm)
    caller = Caller(pm, user=ALICE)
    caller.handler  # noqa: B018 - compiles
    create_tables(pm)
    key = {"Idempotency-Key": "1"}
    first, second = [caller.post("/orders", json={"tea": 1}, headers=key) for _ in range(2)]
    assert (first.status, first.json, second.json) == (202, {"number": 1}, {"number": 1})
    assert (second.headers["idempotency-replayed"], said) == ("true", [{"tea": 1}])
    assert_problem(caller.post("/orders", json={}), 429)


def test_cors_and_problems() -> None:
    class Broken(Resource):
        route = "broken"
        permissions = AllowAny

        @action(methods="GET", path="")
        def broken(self) -> Any:
            raise ValueError("canary")

    caller = client(Broken, cors=CORS(origins=("https://a.example",)))
    broken = caller.everywhere("GET", "/broken", headers={"Origin": "https://a.example"})
    assert_problem(broken, 500)
    assert broken.headers["access-control-allow-origin"] == "https://a.example"


class Member(Model):
    class Meta:
        table_name = "members"

    team = UnicodeAttribute(hash_key=True)
    user = UnicodeAttribute(range_key=True)


class Teams(Resource):
    route = "teams/{team}/news"
    permissions: ClassVar[Any] = {
        "post": HasPermission("writer"),
        "*": Through(Member, {"team": "team", "user": Claim("uuid")}),
    }

    @action(methods="GET", path="")
    def read(self) -> Any:
        return ["news"]

    @action(path="", permissions=None)
    def post(self) -> Any:
        return ["post"]


def test_related_items_of_the_path(dynamodb: None, table_name: str) -> None:
    create_table(Member, table_name)
    Member("red", "alice").save()
    caller = client(Teams)
    assert caller.get("/teams/red/news", user=ALICE).json == ["news"]
    assert_problem(caller.get("/teams/blue/news", user=ALICE), 403)
    assert_problem(caller.post("/teams/red/news", user=ALICE), 403)


def test_a_permission_matrix(dynamodb: None) -> None:
    pm = PolyMicro()
    Health(pm)
    Reports(pm)
    assert_permission_matrix(
        pm,
        {"alice": ALICE, "nobody": None},
        {"none": {}, "year": {"year": "2030"}},
        """
        user    verb    none
        alice   health  allow
        nobody  health  200
        """,
    )
    assert_permission_matrix(
        pm,
        {"alice": ALICE, "nobody": None},
        {"year": {"year": "2030"}},
        """
        user    verb    year
        alice   forget  204
        nobody  forget  deny
        """,
    )


# --- what is told


def test_the_document() -> None:
    pm = PolyMicro()
    Health(pm)
    Reports(pm)
    pm.compile()
    document = openapi(pm.routes)
    validate(document)
    paths = document["paths"]
    health = paths["/health"]["get"]
    assert list(paths) == ["/health", "/reports/{year}"]
    # It asks for its user, whom everybody may be: a client may send a token.
    assert health["security"] == [{}, {"bearer": []}]
    assert (health["summary"], health["tags"]) == ("Whether it is up.", ["Health"])
    assert [one["name"] for one in document["tags"]] == ["Health", "Reports"]
    assert document["tags"][0]["description"] == "What watches over the service."
    year = paths["/reports/{year}"]["get"]["parameters"]
    assert year == [{"name": "year", "in": "path", "required": True, "schema": {"type": "string"}}]
    assert "security" not in paths["/reports/{year}"]["get"]
    assert set(document["components"]["schemas"]) == {"Problem"}


def test_the_template_of_an_app_without_tables() -> None:
    pm = PolyMicro()
    Health(pm)
    Reports(pm)
    pm.compile()
    made = template(pm.routes, Options(handler="app.handler", authorizer_handler="gate.handler"))
    kinds = [one["Type"] for one in made["Resources"].values()]
    assert "AWS::DynamoDB::Table" not in kinds
    function = made["Resources"]["AppFunction"]["Properties"]
    assert "Policies" not in function
    paths = made["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"]
    assert set(paths) == {"/health", "/reports/{year}"}
    assert paths["/health"]["get"]["security"] == [{"BearerOrNobody": []}]


@pytest.mark.parametrize("api", ["rest", "http"])
def test_the_template_of_an_app_for_everybody(api: str) -> None:
    """No authorizer is asked for where it would stand before nothing; one that is named stays."""
    pm = PolyMicro()
    Health(pm)
    pm.compile()
    made = template(pm.routes, Options(handler="app.handler", api=api))
    assert made == template(pm.routes, Options(handler="app.handler", api=api, authorizer="none"))
    assert "AuthorizerFunction" not in made["Resources"]
    named = template(pm.routes, Options(handler="app.handler", api=api, authorizer_handler="gate.handler"))
    assert "AuthorizerFunction" in named["Resources"]
    Reports(pm)
    pm.compile()
    with pytest.raises(ConfigurationError, match="nothing names it"):
        template(pm.routes, Options(handler="app.handler", api=api))


def test_the_policy_of_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Member.Meta, "table_name", "members")
    pm = PolyMicro()
    Teams(pm)
    pm.compile()
    made = template(pm.routes, Options(handler="app.handler", authorizer_handler="gate.handler"))
    (policy,) = made["Resources"]["AppFunction"]["Properties"]["Policies"]
    (statement,) = policy["Statement"]
    assert statement["Resource"] == {"Fn::GetAtt": ["MembersTable", "Arn"]}
    assert [kind for kind in made["Resources"] if kind.endswith("Table")] == ["MembersTable"]


def test_routes_in_words() -> None:
    pm = PolyMicro()
    Health(pm)
    Reports(pm)
    pm.compile()
    assert [tuple(row) for row in rows(pm.routes)][:2] == [
        ("GET", "/health", "health", "anybody", "-", "its own"),
        ("DELETE", "/reports/{year}", "forget", "any user", "-", "its own"),
    ]
    assert explain(pm, "GET /health", None) == [
        ("verb", "Health.health, which the resource defines itself"),
        ("rule", "AllowAny: holds for this user, whatever the item"),
        ("calls", "those of the action"),
    ]
    assert curl_session(pm.routes, "http://localhost:3000", token=None) == [
        "api=http://localhost:3000",
        "curl -sS -w '\\n' $api/health",
    ]


# --- mistakes

Make = Callable[[], Any]


class Opaque(Permission):
    def has_object_permission(self, user: Any, method: Any, instance: Any) -> bool:
        return True


class Conditional(Permission):
    def where(self, user: Any, method: Any, model: Any) -> Any:
        return True


def wrong(**members: Any) -> Make:
    def make() -> type[Resource]:
        return type("Wrong", (Resource,), {"route": "wrong", "show": action(lambda self: 1), **members})

    return make


def mixed() -> type[Resource]:
    return type("Wrong", (Resource, Create), {"route": "wrong"})


ON_ITEM = action(detail=True)(lambda self, instance: instance)
REQUIRING = action(requires=Account.visits == 1)(lambda self: 1)
MISTAKES: dict[str, tuple[Make, str]] = {
    "a model": (wrong(model=Account), r"Wrong\.model is for a model's items, and a Resource has none"),
    "filters": (wrong(filters={}), r"Wrong\.filters is for a model's items"),
    "a hook": (wrong(clean=lambda self: 1), r"Wrong\.clean is for a model's items"),
    "a verb": (wrong(create=lambda self, req: req), r"Wrong\.create is a verb of a model's items"),
    "a verb of HTTP": (
        wrong(get=lambda self: 1),
        r"Wrong\.get serves nothing by its name: mark it by @action",
    ),
    "a mixin": (mixed, r"Wrong has Create, which needs a model: write class Wrong\(ModelResource, …\)"),
    "an item": (wrong(touch_it=ON_ITEM), r"Wrong\.touch_it: detail=True is an action on an item"),
    "a condition": (wrong(pay=REQUIRING), r"Wrong\.pay: requires is a condition on an item"),
    "an owner": (wrong(permissions=OwnedBy("owner")), r"Wrong\.permissions: OwnedBy\('owner'"),
    "an opaque rule": (
        wrong(permissions=Opaque),
        r"Wrong\.permissions: Opaque\.has_object_permission is about an item",
    ),
    "a rule": (wrong(permissions=Conditional | AllowAny), r"Wrong\.permissions: Conditional\.where is about"),
    "nothing": (wrong(show=None), r"Wrong has no verb: mark a method by @action"),
    "a parameter as an argument": (
        wrong(route="hooks/{shop}", show=action(lambda self, shop: 1)),
        r"Wrong\.show asks for 'shop'; .*: ask for request, which has request\.path_params\[\"shop\"\]",
    ),
    "no Resource": (
        lambda: type("Wrong", (ModelResource,), {"route": "wrong", "show": action(lambda self: 1)}),
        r"Wrong\.model must be .*, not None: say one, or write class Wrong\(Resource\), which has none",
    ),
    "no route": (wrong(route=None), r"Wrong\.route must be a path"),
    "a parameter of Python's": (
        wrong(route="a/{save}"),
        r"Wrong\.route: a parameter cannot be named \{save\}",
    ),
    "a parameter twice": (wrong(route="{a}/{a}"), r"Wrong\.route names \{a\} twice"),
    "a setting's value": (wrong(rate_limit="often"), r"Wrong\.rate_limit"),
    "a related item": (
        wrong(permissions=Through(Member, {"team": "team", "user": Claim("uuid")})),
        r"Wrong\.permissions: .* takes team from 'team', which is no attribute",
    ),
}


@pytest.mark.parametrize(("make", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(make: Make, message: str) -> None:
    pm = PolyMicro(rate_limit=RateLimit("1/minute"))
    make()(pm)
    with pytest.raises(ConfigurationError, match=message):
        pm.compile()


# --- the root


class Thing(Model):
    class Meta:
        table_name = "things"

    id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)


class Things(ModelResource, Create, List, Retrieve):
    model = Thing
    route = ""
    permissions = AllowAny
    scan = True

    @action(detail=False, methods="GET")
    def count(self) -> Any:
        return {"count": 1}

    def represent(self, data: dict[str, Any], instance: Any, request: Any) -> Any:
        return {**data, "url": self.url_for(instance, request)}


class Hello(Resource):
    route = ""
    permissions = AllowAny

    @action(methods="GET", path="")
    def hello(self) -> Any:
        return {"hello": "world"}

    @action(methods="GET")
    def version(self) -> Any:
        return {"version": 1}


def test_a_resource_at_the_root() -> None:
    caller = client(Hello, Health)
    assert caller.everywhere("GET", "/").json == {"hello": "world"}
    assert caller.everywhere("GET", "/version").json == {"version": 1}
    assert caller.everywhere("GET", "/version/").json == {"version": 1}
    assert caller.everywhere("GET", "/health").json == {"ok": True}
    assert caller.everywhere("GET", "/healthy").status == 404


def test_items_at_the_root(dynamodb: None, table_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their paths have the key alone; a route with a name goes first, and no new item takes its place."""
    monkeypatch.setenv("POLYMICRO_BASE_URL", "https://api.example.com")
    create_table(Thing, table_name)
    caller = client(Things, Health)
    made = caller.post("/", json={"id": "1", "part": "a b"})
    assert (made.status, made.headers["location"]) == (201, "1/a%20b")
    item = {"id": "1", "part": "a b", "url": "https://api.example.com/1/a%20b"}
    assert caller.everywhere("GET", "/1/a%20b").json == made.json == item
    assert caller.everywhere("GET", "/1/a%20b/").json == item
    assert caller.everywhere("GET", "/").json == {"items": [item], "pagination_key": None}
    assert caller.everywhere("GET", "/count").json == {"count": 1}
    assert caller.everywhere("GET", "/health").json == {"ok": True}
    caller.post("/", json={"id": "2", "part": "c"}).raise_for_status()
    page = caller.get("/", query="limit=1")
    assert page.headers["link"].startswith("<?limit=1&pagination_key=")
    assert len([*caller.items("/", query="limit=1")]) == 2


@pytest.mark.parametrize("source", ["rest", "http"])
def test_the_location_under_a_stage(dynamodb: None, table_name: str, source: str) -> None:
    """The URL of the root may end with the stage, or with a slash after it."""
    create_table(Thing, table_name)
    made = client(Things).post("/", json={"id": "1", "part": "a"}, source=source, stage="prod")
    domain = {"rest": "api.example.com", "http": "api.execute-api.us-east-1.amazonaws.com"}[source]
    assert (made.headers["location"], made.json["url"]) == ("/prod/1/a", f"https://{domain}/prod/1/a")


def test_two_at_the_root() -> None:
    pm = PolyMicro()
    Hello(pm)
    Things(pm)
    with pytest.raises(ConfigurationError, match=r"are both GET /:"):
        pm.compile()


def test_what_is_told_of_the_root() -> None:
    pm = PolyMicro()
    Things(pm)
    Health(pm)
    pm.compile()
    document = openapi(pm.routes)
    validate(document)
    assert list(document["paths"]) == ["/", "/{id}/{part}", "/count", "/health"]
    for api in ("rest", "http"):
        made = template(pm.routes, Options(handler="app.handler", authorizer_handler="gate.handler", api=api))
        paths = made["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"]
        assert set(paths) == {"/", "/{id}/{part}", "/count", "/health"}
    assert [row.path for row in rows(pm.routes)] == ["/", "/", "/{id}/{part}", "/count", "/health"]
    session = curl_session(pm.routes, "http://localhost:3000", token=None)
    assert "$api/1" not in str(session)
    assert session[-2:] == ["curl -sS -w '\\n' $api", "curl -sS -w '\\n' $item"]
