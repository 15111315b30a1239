"""Conditions of DynamoDB: judged here as there, and written as DynamoDB takes them."""
