"""The ways to tell: one function and one line each. I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from aggregator.alert.mail import send_email
from aggregator.alert.means import Means
from aggregator.alert.webhook import send_webhook
from aggregator.notices import ChannelName, Delivery, Notice, Sent

Channel = Callable[[Means, Delivery, Notice, datetime], Sent]

CHANNELS: Final[Mapping[ChannelName, Channel]] = {
    "webhook": send_webhook,
    "email": send_email,
}
