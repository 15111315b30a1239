"""The app: its resources, and the handler that the Lambda calls."""

from polymicro_lambda import PolyMicro

from .resources import TodoResource

pm = PolyMicro(logger=True)
TodoResource(pm)

handler = pm.compile()
