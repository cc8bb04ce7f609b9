#!/bin/sh
# Train the embedded styles, each by the command that made it: train_styles.sh DATA [STYLE ...]
# DATA holds photos/, autotoon/photo/ (portraits) and teachers/ (CartoonGAN's generators); runs/ is where
# trainings live, and the same command goes on where it stopped. Styles are written to runs/styles/. Every fifth portrait
# is kept out, in runs/portraits/kept, for benchmarks/faults.py.
set -eu
data=$1
shift
sakuga=${SAKUGA:-sakuga}
mkdir -p runs/styles runs/portraits/train runs/portraits/kept
number=0
for portrait in "$(realpath "$data")"/autotoon/photo/*; do
    number=$((number + 1))
    ln -sf "$portrait" runs/portraits/$([ $((number % 5)) = 0 ] && echo kept || echo train)/
done
photos="$data/photos runs/portraits/train"
free="photographs of GCompris, MATE, Lomiri and Plasma|GPL-3.0+, CC-BY-SA, CC-BY and public domain, per file|photos"
portraits="portraits of the AutoToon data set, four of five|CC-BY, CC-BY-SA and public domain, per file|photos"
lpips="AlexNet and LPIPS v0.1 weights|BSD|perceptual loss"

learn() { # RUN TEACHER STEPS [MORE ...]
    run=$1 teacher=$2 steps=$3
    shift 3
    $sakuga train distill --run "runs/$run" --photos $photos --teacher "$teacher" --precision bf16-mixed --clip 1 \
        --steps "$steps" --batch 4 --save-every 1000 --log-every 100 "$@"
}

finish() { # NAME TITLE TEACHER-AND-LICENCE [MORE ...]
    name=$1 title=$2 licence=$3
    shift 3
    $sakuga export "runs/$name" -o "runs/styles/$name.onnx" --title "$title" --licence Apache-2.0 --overwrite \
        --data "$free" "$portraits" "$licence" "$lpips" "$@"
}

# The looks of CartoonGAN: one student that knows the whole picture, then what tells each look apart.
published="--freeze 0 --match-tone --light 0.9 --context --checkerboard 100"

look() { # NAME LOOK COLOR [MORE ...]
    name=$1 look=$2 color=$3
    shift 3
    learn student "$data/teachers/hosoda" 22000 $published --views 742 --color 0.25 --lines 4
    learn "$name" "$data/teachers/$look" 5000 $published --views 700 --color "$color" --lines 10 --ramps 5000 \
        --init runs/student --lr 7e-4 "$@"
}

drawn() { # NAME LOOK STEPS [MORE ...]: the generator paints what anime's filters have made flat
    name=$1 look=$2 steps=$3
    shift 3
    learn "$name" "$data/teachers/$look" "$steps" $published --before sakuga.teachers:anime --views 240 --lines 10 \
        --perceptual 1.5 "$@"
}

finish_film() { # LOOK TITLE BEST-PIXELS [MORE ...]
    look=$1 title=$2 pixels=$3
    shift 3
    finish "$look" "$title" "CartoonGAN's original $look generator, Chen, Lai, Liu 2018|Apache-2.0 / MIT repositories|teacher" \
        --best-pixels "$pixels" --palette "$look" "$@"
}

film() { # LOOK TITLE COLOR BEST-PIXELS [MORE ...]: of still pictures it paints what anime has made flat
    look=$1 title=$2 color=$3 pixels=$4
    shift 4
    look "$look" "$look" "$color" "$@"
    finish_film "$look" "$title" "$pixels" --underpainting anime
}

# A chain of filters: its student needs to know its surroundings alone.
filter() { # LOOK STEPS [MORE ...]
    look=$1 steps=$2
    shift 2
    learn "$look" "sakuga.teachers:${look%%-*}" "$steps" --views 240 --lines 8 --checkerboard 200 "$@"
}

chain() { # LOOK TITLE [MORE ...]: export of such a one
    look=$1 title=$2
    shift 2
    finish "$look" "$title" "sakuga's filter chain $look|Apache-2.0|teacher" --best-pixels 300000 "$@"
}

caricature() { # warps of faces, learned from an artist
    mkdir -p runs/portraits/caricature
    for portrait in runs/portraits/train/*; do
        ln -sf "$(realpath "$data")/autotoon/caricature/$(basename "$portrait")" runs/portraits/caricature/
    done
    $sakuga train autotoon --run runs/caricature --photos runs/portraits/train --targets runs/portraits/caricature \
        --warps "$data/autotoon/warp32.npz" --crop 128 --width 32 --lr 5e-4 --steps 2000 --save-every 500
    $sakuga export runs/caricature -o runs/styles/caricature.onnx --half --title "Caricature" --licence Apache-2.0 \
        --overwrite --set gain=1.5 --data "AutoToon's pairs, four of five|Apache-2.0, photos CC-BY, CC-BY-SA and public domain|pairs"
}

for style in ${*:-hosoda anime comic oil ink hayao paprika shinkai cel caricature}; do
    case $style in
    hosoda) film hosoda Hosoda 0.25 300000 --vivid 0.1 --contrast -0.35 --outlines 0.7 ;;
    hayao) grade="--vivid 0.9 --outlines 0.5" && look hayao-first hayao 0.1 $grade &&
        drawn hayao-second hayao 5500 --ramps 5000 --init runs/hayao-first --lr 8e-4 --color 0.1 $grade &&
        drawn hayao-third hayao 800 --ramps 20000 --init runs/hayao-second --lr 3e-4 --color 0.1 $grade &&
        drawn hayao hayao 700 --ramps 20000 --init runs/hayao-third --lr 4e-4 --color 0 $grade &&
        finish_film hayao Hayao 300000 --half ;;
    shinkai) film shinkai Shinkai 0.12 300000 --vivid 0.9 --contrast 0.35 --outlines 0.3 ;;
    paprika) film paprika Paprika 0.1 160000 --vivid 0.5 --contrast 0.2 --outlines 0.8 ;;
    anime) filter anime-first 5000 && filter anime-second 4300 --ramps 5000 --init runs/anime-first &&
        lively="--perceptual 1.5 --contrast 0.15"
        filter anime-third 9000 --ramps 5000 --init runs/anime-second --lr 8e-4 --vivid 0.5 $lively &&
        filter anime-fourth 1200 --ramps 15000 --init runs/anime-third --lr 3e-4 --vivid 0.5 $lively &&
        filter anime 700 --ramps 15000 --init runs/anime-fourth --lr 3e-4 --color 0.85 --vivid 0.6 $lively &&
        chain anime Anime --half ;;
    cel) filter anime-first 5000 && filter cel-first 5600 --ramps 5000 --init runs/anime-first &&
        lively="--lines 5 --perceptual 1.5 --color 0.9 --vivid 0.5 --contrast 0.15"
        filter cel-second 9000 --ramps 5000 --init runs/cel-first --lr 8e-4 --light 0.25 $lively &&
        filter cel-third 1500 --ramps 15000 --init runs/cel-second --lr 3e-4 --light 0.25 $lively &&
        filter cel-fourth 1000 --ramps 60000 --init runs/cel-third --lr 3e-4 --light 0.25 $lively &&
        filter cel 700 --ramps 60000 --init runs/cel-fourth --lr 3e-4 --light 0.5 $lively &&
        chain cel Cel --half ;;
    comic) filter comic-first 5000 && filter comic 3300 --ramps 5000 --init runs/comic-first &&
        chain comic "Comic book" ;;
    ink) filter ink 4400 --ramps 5000 && chain ink "Pen and ink" ;;
    oil) filter oil 5000 --perceptual 2 --adversarial 0.05 && chain oil "Oil paint" ;;
    caricature) caricature ;;
    *) echo "unknown style $style" >&2 && exit 2 ;;
    esac
done
