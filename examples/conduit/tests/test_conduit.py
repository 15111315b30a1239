"""Articles, their lists, favorites, comments and tags; and what each request costs."""

import re
from dataclasses import replace
from datetime import datetime

import pytest
from community import DRAGON, recorded
from conduit.app import pm
from conduit.models import Comment, Tagging

from polymicro_lambda.deploy.iam_policy import grants
from polymicro_lambda.testing import assert_serializable

ANN = {"username": "ann", "bio": None, "image": None, "following": False}


@pytest.fixture
def slug(community):
    """An article of ann's, whom max may follow."""
    community.join("ann", "max")
    return community.write("ann")


# --- an article


def test_an_article(community):
    community.join("ann")
    made = community.send("ann", "POST", "/articles", DRAGON)
    assert made.status == 201
    article = made.json["article"]
    assert re.fullmatch(r"dragons-at-home-[0-9a-f]+", article["slug"])
    times = [datetime.fromisoformat(article[name]) for name in ("createdAt", "updatedAt")]
    assert all(one.tzinfo for one in times)
    assert article == {
        **DRAGON,
        "slug": article["slug"],
        "tagList": ["care", "fire"],
        "createdAt": article["createdAt"],
        "updatedAt": article["createdAt"],
        "favorited": False,
        "favoritesCount": 0,
        "author": ANN,
    }
    assert community.done(None, "GET", f"/articles/{article['slug']}") == article
    assert community.done(None, "GET", f"/{made.headers['location']}") == article


@pytest.mark.parametrize("path", ["/articles?fields=title&embed=author", "/articles/{slug}?fields=title"])
def test_a_part_of_an_article(community, slug, path):
    shown = community.done(None, "GET", path.format(slug=slug))
    assert [article["title"] for article in shown.get("articles", [shown])] == [DRAGON["title"]]


def test_an_article_without_tags(community):
    community.join("ann")
    body = {name: value for name, value in DRAGON.items() if name != "tagList"}
    made = [community.done("ann", "POST", "/articles", body | more) for more in ({}, {"tagList": []})]
    assert [article["tagList"] for article in made] == [[], []]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        pytest.param({"title": ""}, ["title"], id="no title"),
        pytest.param({"body": None}, ["body"], id="no body"),
        pytest.param({"tagList": ["a", ""]}, ["tagList"], id="an empty tag"),
        pytest.param({"tagList": [str(one) for one in range(21)]}, ["tagList"], id="too many tags"),
        pytest.param({"author": "max"}, ["author"], id="another author"),
        pytest.param({"favoritesCount": 9}, ["favoritesCount"], id="favorites"),
        pytest.param({"slug": "mine"}, ["slug"], id="a slug"),
        pytest.param({"every": "other"}, ["every"], id="the partition of the list"),
    ],
)
def test_what_is_no_article(community, change, fields):
    community.join("ann")
    refused = community.send("ann", "POST", "/articles", {**DRAGON, **change})
    assert (refused.status, [*refused.json["errors"]]) == (422, fields)
    assert community.done(None, "GET", "/tags") == {"tags": []}


@pytest.mark.parametrize(
    ("title", "words"),
    [("Über 3 Drachen!", "über-3-drachen-"), ("???", ""), ("--a__b--", "a-b-"), ("飛行", "飛行-")],
)
def test_a_slug_begins_with_the_words_of_the_title(community, title, words):
    community.join("ann")
    slug = community.write("ann", title=title)
    assert re.fullmatch(f"{words}[0-9a-f]+", slug)
    assert community.done(None, "GET", f"/articles/{slug}")["title"] == title


def test_the_slug_follows_the_title_and_the_old_one_leads_there_still(community, slug):
    old = community.done(None, "GET", f"/articles/{slug}")
    new = community.done("ann", "PUT", f"/articles/{slug}", {"title": "Dragons outside"})
    assert new["slug"] == slug.replace("dragons-at-home", "dragons-outside")
    assert new["updatedAt"] > old["updatedAt"]
    assert new == {**old, **{name: new[name] for name in ("title", "slug", "updatedAt")}}
    assert community.done(None, "GET", f"/articles/{slug}") == new
    assert community.done(None, "GET", f"/articles/{new['slug']}") == new


def test_two_articles_may_have_one_title(community, slug):
    assert community.write("max") != slug


@pytest.mark.parametrize(
    "path", ["/articles/none", "/articles/dragons-at-home", "/articles/dragons-", "/articles/-"]
)
def test_an_article_that_is_not_there(community, slug, path):
    assert community.ask(None, "GET", path).status == 404
    assert community.ask("max", "POST", f"{path}/favorite").status == 404
    assert community.send("max", "POST", f"{path}/comments", {"body": "x"}).status == 404


ASKED = {
    ("PUT", "/articles/{slug}", '{"article": {"title": "x"}}'): (401, 403, 200),
    ("DELETE", "/articles/{slug}", None): (401, 403, 204),
    ("POST", "/articles/{slug}/favorite", None): (401, 200, 200),
    ("DELETE", "/articles/{slug}/favorite", None): (401, 200, 200),
    ("POST", "/articles/{slug}/comments", '{"comment": {"body": "x"}}'): (401, 201, 201),
    ("DELETE", "/articles/{slug}/comments/{comment}", None): (401, 403, 204),
    ("POST", "/articles", '{"article": {"title": "x", "description": "x", "body": "x"}}'): (401, 201, 201),
    ("GET", "/articles/feed", None): (401, 200, 200),
    ("GET", "/articles/{slug}", None): (200, 200, 200),
    ("GET", "/articles/{slug}/comments", None): (200, 200, 200),
    ("GET", "/articles", None): (200, 200, 200),
    ("GET", "/tags", None): (200, 200, 200),
}


@pytest.mark.parametrize("asked", ASKED, ids=" ".join(("{0[0]} {0[1]}",)).format)
def test_who_may_do_what(community, slug, asked):
    """Nobody, another user, and the author."""
    method, path, body = asked
    comment = community.done("ann", "POST", f"/articles/{slug}/comments", {"body": "Mine"})["id"]
    headers = {"Content-Type": "application/json"} if body else {}
    path = path.format(slug=slug, comment=comment)
    answers = [community.ask(who, method, path, body=body, headers=headers) for who in (None, "max", "ann")]
    assert tuple(answer.status for answer in answers) == ASKED[asked]


# --- lists


@pytest.fixture
def shelf(community):
    """Four articles: ann's of dragons, which max likes, and of newts; max's of dragons; eve's of newts."""
    community.join("ann", "max", "eve")
    liked = community.write("ann", title="1", tagList=["dragons"])
    community.write("ann", title="2", tagList=["newts"])
    community.write("max", title="3", tagList=["dragons", "newts"])
    last = community.write("eve", title="4", tagList=["newts"])
    for slug in (last, liked):
        community.done("max", "POST", f"/articles/{slug}/favorite")
    return community


QUERIES = {
    "": ["4", "3", "2", "1"],
    "?embed=author": ["4", "3", "2", "1"],
    "?author=ann": ["2", "1"],
    "?tag=newts": ["4", "3", "2"],
    "?favorited=max": ["4", "1"],
    "?tag=none": [],
    "?favorited=ann": [],
    "?author=nobody": [],
    "?favorited=nobody": [],
}


@pytest.mark.parametrize("query", QUERIES)
def test_lists_begin_with_the_newest(shelf, query):
    assert shelf.titles(None, f"/articles{query}") == QUERIES[query]


@pytest.mark.parametrize("query", QUERIES)
def test_lists_come_in_pages(shelf, query):
    asked = dict(one.split("=") for one in query[1:].split("&") if one)
    pages = [
        shelf.done("eve", "GET", "/articles", query={"limit": 1, "offset": offset, **asked})
        for offset in range(5)
    ]
    assert [article["title"] for page in pages for article in page["articles"]] == QUERIES[query]
    assert {page["articlesCount"] for page in pages} == {len(QUERIES[query])}


def test_a_list_shows_all_but_the_text(shelf):
    article = shelf.done("max", "GET", "/articles?author=eve")["articles"][0]
    shelf.done("max", "POST", "/profiles/eve/follow")
    whole = shelf.done("max", "GET", f"/articles/{article['slug']}")
    followed = {**article["author"], "following": True}
    assert {**article, "body": "Do not.", "author": followed} == whole
    assert (whole["favorited"], whole["favoritesCount"]) == (True, 1)
    assert shelf.done("ann", "GET", "/articles?author=eve")["articles"][0]["favorited"] is False


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?tag=a&author=ann", 400),
        ("?tag=a&tag=b", 400),
        ("?offset=-1", 400),
        ("?offset=x", 400),
        ("?tag=", 400),
        ("?limit=0", 400),
        ("?other=x", 400),
    ],
)
def test_lists_that_cannot_be(shelf, query, status):
    assert shelf.ask(None, "GET", f"/articles{query}").status == status


def test_the_feed_is_of_those_whom_the_user_follows(shelf):
    assert shelf.titles("max", "/articles/feed") == []
    for author in ("ann", "eve"):
        shelf.done("max", "POST", f"/profiles/{author}/follow")
    assert shelf.titles("max", "/articles/feed") == ["4", "2", "1"]
    first = shelf.done("max", "GET", "/articles/feed?limit=2")
    assert [article["author"]["following"] for article in first["articles"]] == [True, True]
    assert "body" not in first["articles"][0]
    rest = shelf.done("max", "GET", "/articles/feed?limit=2&offset=2")
    assert ([article["title"] for article in rest["articles"]], rest["articlesCount"]) == (["1"], 3)
    assert first["articlesCount"] == 3
    shelf.done("max", "DELETE", "/profiles/ann/follow")
    assert shelf.titles("max", "/articles/feed") == ["4"]


def test_a_feed_of_many(community):
    """More authors than a list reads by calls of its own."""
    authors = [f"author{number}" for number in range(20)]
    community.join("max", *authors)
    for author in authors:
        community.write(author, title=author)
        community.done("max", "POST", f"/profiles/{author}/follow")
    assert community.titles("max", "/articles/feed") == authors[::-1]


# --- favorites


def test_a_favorite_counts_once(community, slug):
    def shown(answer):
        return answer["favorited"], answer["favoritesCount"]

    written = community.done("ann", "GET", f"/articles/{slug}")["updatedAt"]
    for method, expected in (("POST", (True, 1)), ("POST", (True, 1))):
        assert shown(community.done("max", method, f"/articles/{slug}/favorite")) == expected
    assert shown(community.done("ann", "POST", f"/articles/{slug}/favorite")) == (True, 2)
    for expected in ((False, 1), (False, 1)):
        assert shown(community.done("max", "DELETE", f"/articles/{slug}/favorite")) == expected
    article = community.done("ann", "GET", f"/articles/{slug}")
    assert (shown(article), article["updatedAt"]) == ((True, 1), written)


@pytest.mark.thorough(but=("twice", "comment*"))
@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("max", "POST", "/favorite"), ("max", "POST", "/favorite"), id="twice"),
        pytest.param(("max", "POST", "/favorite"), ("ann", "POST", "/favorite"), id="by two"),
        pytest.param(("max", "POST", "/favorite"), ("max", "DELETE", "/favorite"), id="and not"),
        pytest.param(("max", "POST", "/favorite"), ("ann", "DELETE", ""), id="while it is deleted"),
        pytest.param(("max", "POST", "/comments"), ("ann", "DELETE", ""), id="comment while it is deleted"),
    ],
)
def test_what_two_requests_at_once_leave_behind(community, slug, one, other):
    """An answer shows what is there when it is made, so that it may know of the other request."""

    def asked(who, method, path):
        options = {"json": {"comment": {"body": "So"}}} if path == "/comments" else {}

        def ask():
            answer = community.ask(who, method, f"/articles/{slug}{path}", **options)
            return replace(answer, status=200, headers={}, body=b"") if answer.status < 300 else answer

        return ask

    assert_serializable(community.client, asked(*one), asked(*other))


# --- tags and comments


def test_tags_go_with_their_articles(community, slug):
    other = community.write("max", tagList=["fire", "home"])
    assert community.done(None, "GET", "/tags") == {"tags": ["care", "fire", "home"]}
    changed = community.done("ann", "PUT", f"/articles/{slug}", {"tagList": ["care", "wings"]})
    assert changed["tagList"] == ["care", "wings"]
    assert community.done(None, "GET", "/tags") == {"tags": ["care", "fire", "home", "wings"]}
    assert len(community.titles(None, "/articles?tag=wings")) == 1
    community.done("max", "DELETE", f"/articles/{other}")
    assert community.done(None, "GET", "/tags") == {"tags": ["care", "wings"]}
    assert community.done("ann", "PUT", f"/articles/{slug}", {"tagList": None})["tagList"] == []
    assert list(Tagging.scan()) == []


def test_comments(community, slug):
    path = f"/articles/{slug}/comments"
    made = community.send("max", "POST", path, {"body": "How?"})
    comment = made.json["comment"]
    assert (made.status, comment) == (
        201,
        {
            "id": comment["id"],
            "createdAt": comment["createdAt"],
            "updatedAt": comment["updatedAt"],
            "body": "How?",
            "author": {**ANN, "username": "max"},
        },
    )
    assert isinstance(comment["id"], int)
    answer = community.done("ann", "POST", path, {"body": "So."})
    assert community.done(None, "GET", path)["comments"] == [comment, answer]
    community.done("ann", "PUT", f"/articles/{slug}", {"title": "Another"})
    assert community.done(None, "GET", path)["comments"] == [comment, answer]
    community.done("max", "DELETE", f"{path}/{comment['id']}")
    assert community.done(None, "GET", path)["comments"] == [answer]
    assert community.ask("max", "DELETE", f"{path}/{comment['id']}").status == 404
    assert community.ask("max", "DELETE", f"{path}/x").status == 404


def test_comments_go_with_their_article(community, slug):
    for number in range(30):
        community.done("max", "POST", f"/articles/{slug}/comments", {"body": str(number)})
    community.done("ann", "DELETE", f"/articles/{slug}")
    assert community.ask(None, "GET", f"/articles/{slug}").status == 404
    assert list(Comment.scan()) == []


# --- what it costs

LOGIN = '{"user": {"email": "max@example.com", "password": "max\'s own"}}'
SHOW = ["BatchGetItem"] * 3
"""The author, whether max follows, whether max likes."""
COSTS = {
    ("POST", "/users", '{"user": {"username": "a", "email": "a@example.com", "password": "a"}}'): [
        "TransactWriteItems"
    ],
    ("POST", "/users/login", LOGIN): ["GetItem", "GetItem"],
    ("GET", "/user", None): ["GetItem"],
    ("PUT", "/user", '{"user": {"bio": "x"}}'): ["GetItem", "UpdateItem"],
    ("GET", "/profiles/ann", None): ["GetItem", "GetItem", "BatchGetItem"],
    ("POST", "/profiles/ann/follow", None): ["GetItem", "GetItem", "PutItem", "BatchGetItem"],
    ("GET", "/articles", None): ["Query", "Query", *SHOW],
    ("GET", "/articles?author=ann", None): ["GetItem", "GetItem", "Query", "Query", *SHOW],
    ("GET", "/articles?tag=fire", None): ["Query", "BatchGetItem", "Query", *SHOW],
    ("GET", "/articles?favorited=ann", None): ["GetItem", "GetItem", "Query", "BatchGetItem", "Query", *SHOW],
    ("GET", "/articles/feed", None): ["Query", "Query", "Query", *SHOW],
    ("GET", "/articles/{slug}", None): ["GetItem", *SHOW],
    ("POST", "/articles", '{"article": {"title": "x", "description": "x", "body": "x"}}'): [
        "TransactWriteItems",
        *SHOW,
    ],
    ("PUT", "/articles/{mine}", '{"article": {"title": "x"}}'): [
        "GetItem",
        "TransactWriteItems",
        "GetItem",
        *SHOW,
    ],
    ("POST", "/articles/{slug}/favorite", None): ["GetItem", "TransactWriteItems", "GetItem", *SHOW],
    ("GET", "/articles/{slug}/comments", None): ["Query", "BatchGetItem", "BatchGetItem"],
    ("POST", "/articles/{slug}/comments", '{"comment": {"body": "x"}}'): [
        "TransactWriteItems",
        "BatchGetItem",
        "BatchGetItem",
    ],
    ("GET", "/tags", None): ["Scan"],
    ("DELETE", "/articles/{mine}", None): ["GetItem", "TransactWriteItems", "Query", "BatchWriteItem"],
}
"""Of max, who follows ann, likes an article of hers and has one."""

OF_NOBODY = {
    "/articles": ["Query", "Query", "BatchGetItem"],
    "/articles/{slug}": ["GetItem", "BatchGetItem"],
    "/articles/{slug}/comments": ["Query", "BatchGetItem"],
    "/profiles/ann": ["GetItem", "GetItem"],
}


def test_each_request_makes_these_calls(community, slug):
    """No more; and each of them is one that the template's policy grants."""
    granted = {(one.table, one.index, one.operation) for route in pm.routes for one in grants(route)}
    mine = community.write("max")
    for who in ("max", "ann"):
        community.done(who, "POST", f"/articles/{slug}/favorite")
    community.done("max", "POST", "/profiles/ann/follow")
    community.done("max", "DELETE", f"/articles/{slug}/favorite")
    for at in (mine, slug):
        community.done("ann", "POST", f"/articles/{at}/comments", {"body": "x"})
    made = {}
    for method, path, body in COSTS:
        headers = {"Content-Type": "application/json"} if body else {}
        with recorded() as calls:
            at = path.format(slug=slug, mine=mine)
            assert community.ask("max", method, at, body=body, headers=headers).status < 300
        made[method, path, body] = [operation for operation, _ in calls]
        assert {one for call in calls for one in places(*call)} <= granted
    assert made == COSTS


def test_a_write_whose_answer_got_lost_is_looked_up(community, slug):
    """By calls that the policy grants, too; what was done once counts once."""
    granted = {(one.table, one.index, one.operation) for route in pm.routes for one in grants(route)}
    writes = [("POST", f"/articles/{slug}/favorite", {}), ("PUT", f"/articles/{slug}", {"tagList": ["new"]})]
    for method, path, body in writes:
        with recorded(lost="TransactWriteItems") as calls:
            assert community.send("ann", method, path, body).status == 200
        assert {one for call in calls for one in places(*call)} <= granted
    article = community.done("ann", "GET", f"/articles/{slug}")
    assert (article["favoritesCount"], article["tagList"]) == (1, ["new"])
    assert community.done(None, "GET", "/tags") == {"tags": ["new"]}


def test_who_is_nobody_costs_less(community, slug):
    made = {}
    for path in OF_NOBODY:
        community.done("max", "POST", f"/articles/{slug}/comments", {"body": "x"})
        with recorded() as calls:
            community.done(None, "GET", path.format(slug=slug))
        made[path] = [operation for operation, _ in calls]
    assert made == OF_NOBODY


PARTS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def places(operation, parameters):
    """Table, index and operation of a call; of each part of a transaction."""
    if operation == "TransactWriteItems":
        parts = [part for one in parameters["TransactItems"] for part in one.items()]
        return [(said["TableName"], "", PARTS[kind]) for kind, said in parts]
    tables = list(parameters.get("RequestItems", ())) or [parameters["TableName"]]
    return [(tables[0], parameters.get("IndexName", ""), operation)]
