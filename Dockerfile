# Kith's image: `serve` by default, any other command of `kith` as its arguments.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# The lock first: what we depend on changes less often than what we write.
COPY requirements.lock ./
RUN python -m venv /opt/kith \
    && /opt/kith/bin/pip install --no-deps --only-binary :all: --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY matching/ matching/
COPY service/ service/
RUN /opt/kith/bin/pip install --no-deps --no-build-isolation .

FROM python:${PYTHON}-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin kith \
    && install --directory --owner kith --group kith --mode 700 /data
COPY --from=build /opt/kith /opt/kith
# The embedded database stands in /data; with a named one nothing does.
ENV PATH=/opt/kith/bin:$PATH KITH_HOME=/data PYTHONUNBUFFERED=1
WORKDIR /data
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["kith"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
