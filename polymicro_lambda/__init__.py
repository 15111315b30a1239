"""One resource class over a PynamoDB model becomes a REST API in one AWS Lambda handler."""

__version__ = "0.1.0"
