"""The extras of the package and what each installs."""

PACKAGES = {
    "train": {"torch", "lightning_fabric", "onnx", "scipy", "skimage", "tensorboard", "filelock"},
    "serve": {"fastapi", "uvicorn", "starlette", "prometheus_client", "python_multipart"},
    "heic": {"pillow_heif"},
    "jxl": {"pillow_jxl"},
}
"""What each extra installs, by the names under which it is imported."""
