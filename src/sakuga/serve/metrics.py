"""Counters for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from sakuga.serve.queue import Queue

_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)


class Metrics:
    """Counters of one server."""

    def __init__(self, *queues: Queue) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("sakuga_requests", "Answers.", ["method", "route", "status"], registry=registry)
        self.seconds = Histogram(
            "sakuga_request_seconds", "From request to answer.", ["route"], buckets=_SECONDS, registry=registry
        )
        self.pixels = Counter("sakuga_pixels", "Pixels stylised in pictures.", registry=registry)
        self.frames = Counter("sakuga_frames", "Frames stylised in videos.", registry=registry)
        self.in_flight = Gauge("sakuga_in_flight", "Requests being answered.", registry=registry)
        places = Gauge("sakuga_queue_length", "Places taken, waiting and at work.", ["lane"], registry=registry)
        for queue in queues:
            places.labels(queue.name).set_function(queue.__len__)

    def text(self) -> bytes:
        """All of them in Prometheus's text format."""
        return generate_latest(self.registry)
