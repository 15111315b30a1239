"""The processes of `polymicro serve`: in come its settings, out go answers over HTTP and the text at the start.

``supervisor`` owns port and engine, and starts a ``server`` process anew when code changes. ``settings`` go from one to
the other. ``start_message`` is the text at the start, with the ``curl_session`` to paste.
"""
