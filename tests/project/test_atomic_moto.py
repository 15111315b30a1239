"""moto's DynamoDB in the process of a test: one call after another."""

from concurrent.futures import ThreadPoolExecutor

from pynamodb.attributes import UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from polymicro_lambda.project import strict_moto


class Seat(Model):
    class Meta:
        table_name = "seats"
        region = "us-east-1"

    id = UnicodeAttribute(hash_key=True)


def test_of_many_transactions_at_once_one_takes_it(monkeypatch: object) -> None:
    with strict_moto(monkeypatch):  # type: ignore[arg-type]
        Seat.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        connection = Connection("us-east-1")

        def take(seat: str) -> bool:
            try:
                with TransactWrite(connection=connection) as transaction:
                    transaction.save(Seat(seat), condition=Seat.id.does_not_exist())
            except TransactWriteError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            for number in range(40):
                assert sum(pool.map(take, [f"{number}"] * 8)) == 1
