# syntax=docker/dockerfile:1

# -- packages: a virtualenv from the lock, copied whole into the second stage
FROM python:3.13-slim AS packages
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/venv
COPY requirements*.txt ./
# "twilio" for SMS by Twilio.
ARG EXTRAS=""
RUN set -- -r requirements.txt; \
    for extra in $EXTRAS; do set -- "$@" -r "requirements-$extra.txt"; done; \
    /opt/venv/bin/pip install --require-hashes "$@"

# -- the product
FROM python:3.13-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=docbook.settings.prod
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin docbook
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY . .
# Collecting static files needs settings, not secrets. These exist only for this one command.
RUN random() { python -c "import secrets; print(secrets.token_urlsafe(48))"; }; \
    SECRET_KEY="$(random)" OTP_KEYS="$(random)" JWT_KEYS="$(random)" \
    SECOND_FACTOR_KEYS="$(random)" \
    ALLOWED_HOSTS=build.invalid \
    SITE_URL=https://build.invalid \
    DATABASE_URL=postgresql://build.invalid/build \
    REDIS_URL=redis://build.invalid/0 \
    python manage.py collectstatic --no-input
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["granian", "docbook.rsgi:application", \
     "--interface", "rsgi", "--host", "0.0.0.0", "--port", "8000", "--http", "1", "--no-ws", \
     "--workers", "2", "--http1-header-read-timeout", "10000", "--http1-buffer-size", "65536", \
     "--backpressure", "2048", "--respawn-failed-workers"]
