"""The calls of a list, in words: its query, scan or batch of keys, and how many calls a page takes."""

from collections.abc import Iterator, Sequence

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value

from polymicro_lambda.cli.wording import Line, of_all, of_verdict
from polymicro_lambda.dispatch import Operation
from polymicro_lambda.dynamodb import PAGE_GROWTH
from polymicro_lambda.lists import AccessPath, Plan
from polymicro_lambda.rules import is_opaque


def list_lines(operation: Operation) -> Iterator[Line]:
    """The lines of a list: the call, its conditions, and how many calls a page takes."""
    if operation.asked.route.is_default:
        yield from _planned(operation, operation.plan())
        return
    operation.guard()  # refuses a query that the list does not take
    yield "calls", "those of the verb: it queries by itself"
    filters_apply = (
        operation.asked.route.filters.parameters and "filters" not in operation.asked.route.arguments
    )
    yield (
        "then",
        f"{'filters and rule are' if filters_apply else 'the rule is'} checked here on every row that it returns",
    )
    yield (
        "pages",
        f"at most {operation.asked.read_budget(operation.asked.route.limit)} of a query or scan that it returns",
    )


def _planned(operation: Operation, plan: Plan) -> Iterator[Line]:
    if plan.empty:
        yield "calls", "none: no item can meet all conditions, so that the list is empty"
        return
    if plan.keys is not None:
        yield from _batch_get(operation, plan)
        return
    operation_name = "Scan" if plan.is_scan else "Query"
    yield "calls", f"{_calls(plan)} on {_table_or_index(plan.path)}{_order(plan)}"
    if not plan.is_scan:
        yield "key", of_all(_key_conditions(plan))
    if plan.filters:
        yield "filter", f"{of_all(plan.filters)}, by DynamoDB, after it has read (and billed) the items"
    yield from _judged_here(operation, () if plan.completes else plan.checks)
    if plan.projection is not None:
        yield "reads", ", ".join(sorted(plan.projection))
    if plan.completes:
        yield (
            "then",
            "BatchGetItem on the table, as the index lacks attributes; what it gives is checked again",
        )
    yield "pages", _pages(operation, plan, operation_name)
    if plan.path.sparse and plan.key_condition is None:
        yield "beware", f"items without {plan.path.sort} are not in this index, nor in a list by it"
    for path in plan.passed_over:
        yield "why", _lacking(path)


def _lacking(path: AccessPath) -> str:
    if path.sparse:
        return (
            f"the index {path.index} lacks items without {path.sort}: sort by it or filter on it to use that"
        )
    return f"the index {path.index} lacks items without {path.partition}, for which a default stands"


def _calls(plan: Plan) -> str:
    if plan.partitions:
        return f"{len(plan.partitions)} queries"
    return "Scan" if plan.is_scan else "Query"


def _order(plan: Plan) -> str:
    order = "" if plan.forward else ", backwards"
    if plan.in_turn:
        return f"{order}, one after the other"
    return f", merged by {plan.path.sort}{order}" if plan.partitions else order


def _key_conditions(plan: Plan) -> Iterator[Condition]:
    path = Path([plan.path.partition])
    yield path == Value(plan.partition) if plan.partition else path.is_in(*map(Value, plan.partitions))
    if plan.key_condition is not None:
        yield plan.key_condition


def _batch_get(operation: Operation, plan: Plan) -> Iterator[Line]:
    count = len(plan.keys or ())
    yield "calls", f"BatchGetItem on the table, of {count} key{'' if count == 1 else 's'}, consistent"
    yield from _judged_here(operation, plan.checks)


def _judged_here(operation: Operation, checks: Sequence[Condition]) -> Iterator[Line]:
    """The conditions that are not DynamoDB's to check."""
    if checks:
        yield "check", f"{of_all(checks)}, here, after the read"
    if is_opaque(operation.verdict):
        yield "judge", f"{of_verdict(operation.verdict)}, here, row by row"


def _pages(operation: Operation, plan: Plan, name: str) -> str:
    """The number of calls for a page of the list."""
    limit = operation.asked.request.query.get("limit", (str(operation.asked.route.limit),))[0]
    checked = plan.checks and not plan.completes
    name, one = name, f"1 {name}"
    if plan.completes:
        name, one = f"{name} and BatchGetItem", f"{one} and 1 BatchGetItem"
    least, budget = max(len(plan.partitions), 1), operation.asked.read_budget(int(limit))
    if plan.in_turn:
        return f"1 to {budget} {name} calls for {limit} items: as many of the queries as these take"
    if not (plan.filters or checked or is_opaque(operation.verdict)):
        one = one if least == 1 else f"{least} {name} calls"
        return f"{one} for {limit} items; more only where these exceed the 1 MB of one call"
    if least > 1:
        return f"{least} to {max(least, budget)} {name} calls for {limit} items: rows drop out"
    return f"1 to {budget} {name} calls for {limit} items: rows drop out; each may read {PAGE_GROWTH} times the last"


def _table_or_index(path: AccessPath) -> str:
    kind = "global" if path.is_global else "local"
    return "the table" if path.index is None else f"the {kind} index {path.index}"
