"""The site: pages, form, downloads and API over what the store holds. I/O."""

from __future__ import annotations

from typing import Final

from flask import Flask
from flask_babel import Babel
from werkzeug.middleware.proxy_fix import ProxyFix

from aggregator.instance import Instance
from aggregator.store.intake import Intake
from aggregator.web import (
    about,
    api,
    apipage,
    archive,
    data,
    door,
    errors,
    feed,
    files,
    filters,
    form,
    incident,
    meter,
    metrics,
    pages,
    passing,
    pictures,
    ready,
    receipt,
    record,
    remarks,
    situation,
    subscribe,
    texts,
    wellbeing,
    words,
)
from aggregator.web.cache import Cache
from aggregator.web.desk import KEY, lay
from aggregator.web.hatch import Hatch
from aggregator.web.headers import finish
from aggregator.web.language import locale

BIGGEST_BODY: Final = 64 * 1024

ROOMS: Final = (
    situation, about, archive, pages, incident, pictures, passing, texts, form, receipt, data, files, ready, api,
    apipage, feed, words, record, subscribe, remarks, metrics, wellbeing,
)  # fmt: skip

__all__ = ["create_app"]


def create_app(instance: Instance, *, cached: bool = False, intake: Intake | None = None) -> Flask:
    """Return the WSGI app of `instance`; it reads from the store only, and writes what people report.

    cached: pages are made once per change and not per reader; a change may take a second to be seen. intake: how what
    is sent gets into the store; it is its maker who closes it. None: each in the thread of its request.
    """
    app = Flask(__name__)
    app.config.update(
        MAX_CONTENT_LENGTH=BIGGEST_BODY,
        MAX_FORM_MEMORY_SIZE=BIGGEST_BODY,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        BABEL_DEFAULT_LOCALE="de",
        BABEL_DEFAULT_TIMEZONE="Europe/Berlin",
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}
    meter.register(app)
    door.register(app)
    app.extensions[KEY] = lay(app, instance, intake)
    Babel(app, locale_selector=locale)
    for room in ROOMS:
        app.register_blueprint(room.blueprint)
    filters.register(app)
    errors.register(app)
    app.after_request(finish)
    app.wsgi_app = Hatch(app.wsgi_app, app.extensions[KEY])  # type: ignore[method-assign, assignment]
    if cached:
        app.wsgi_app = Cache(app.wsgi_app, instance)  # type: ignore[method-assign, assignment]
    app.wsgi_app = meter.Meter(app.wsgi_app, app.extensions[KEY].registry)  # type: ignore[method-assign, assignment]
    proxies = instance.settings.trusted_proxies
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    return app
