"""Which of CelebA's forty attributes the papers learn (Liu, Luo, Wang, Tang, ICCV 2015)."""

FIVE = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
NINE = (*FIVE, "Bangs", "Mustache", "Pale_Skin", "Smiling")
SEVENTEEN = (
    *NINE,
    *("5_o_Clock_Shadow", "Bald", "Eyeglasses", "Goatee", "Gray_Hair", "Straight_Hair", "Wavy_Hair", "Wearing_Hat"),
)
