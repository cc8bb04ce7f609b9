"""A page for Gradio, as Hugging Face's Spaces run it: a photo in, the stylised photo out."""

import gradio as gr

import sakuga
from sakuga.style import DEFAULT

NAMES = [style.name for style in sakuga.styles() if style.card.photo]


def stylize(photo, style: str, strength: float, keep_color: bool):
    """Stylise a PIL image; None before one is chosen."""
    return photo and sakuga.stylize(photo, style, strength=strength, keep_color=keep_color)


page = gr.Interface(
    stylize,
    inputs=[
        gr.Image(type="pil", label="Photo"),
        gr.Radio(NAMES, value=DEFAULT, label="Style"),
        gr.Slider(0, 1, 1, label="Strength"),
        gr.Checkbox(label="Keep the colours of the photo"),
    ],
    outputs=gr.Image(format="png", label="Anime"),
    title="sakuga",
    description="Photographs as anime, cartoon and painting.",
    flagging_mode="never",
)

if __name__ == "__main__":
    page.launch()
