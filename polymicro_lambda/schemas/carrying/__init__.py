"""Whether attributes carry what fields load.

Of the package's own fields that is known. Of others it is tried with samples when the app compiles, and what single
values still fail is refused when a body is loaded. Open ``checks``; ``samples`` has the values, ``stored_values`` knows
what DynamoDB takes.
"""

from .checks import Storable, check_carried, check_own_way, check_shown, is_own
from .samples import sample_values

__all__ = ["Storable", "check_carried", "check_own_way", "check_shown", "is_own", "sample_values"]
