"""The event sources: services whose events are HTTP requests, such as API Gateway.

``event_source`` has the protocol that each source fulfils, and the parts that all of them use. A file for each service
has a class for each shape of event: ``api_gateway``, ``load_balancer``, ``vpc_lattice``. ``lookup`` finds the source of
an event.

To add a source, write a class in a file of its own and put an instance into ``lookup.SOURCES``, before every source
whose ``matches`` would take its events too. ``event_members`` reads the members of an event and refuses malformed ones;
``response_payloads`` makes the answer.
"""
