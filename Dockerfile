# The page and the API of `sakuga serve`, for processors (docs/docker.md). Its steps run in .ci/docker, too.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml hatch_build.py constraints.txt README.md LICENSE NOTICE ./
COPY docs/sakuga.1 docs/
COPY src src
RUN python -m venv /opt/sakuga \
    && /opt/sakuga/bin/python -m pip install --quiet --no-cache-dir -c constraints.txt ".[serve,heic]"

FROM python:3.13-slim
COPY --from=build /opt/sakuga /opt/sakuga
ENV PATH="/opt/sakuga/bin:$PATH" HOME=/tmp SAKUGA_STYLES=/styles PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 7860
HEALTHCHECK --start-period=30s --timeout=5s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
ENTRYPOINT ["sakuga"]
CMD ["serve", "--host", "0.0.0.0"]
