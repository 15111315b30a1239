"""The way of a request to DynamoDB and back: botocore and urllib3, with quicker parts in their place.

``sessions`` makes botocore's clients, ``retries`` bounds their tries and timeouts by the time that is left,
``connection_pools`` replaces urllib3's pools, and ``http_exchange`` writes requests to a socket and reads answers.
Here stands all that is private in botocore and urllib3.
"""
