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

distill() { # NAME TITLE TEACHER TEACHER'S-LICENCE STEPS [MORE ...]
    name=$1 title=$2 teacher=$3 licence=$4 steps=$5
    shift 5
    $sakuga train distill --run "runs/$name" --photos $photos --teacher "$teacher" --precision bf16-mixed --clip 1 \
        --steps "$steps" --batch 4 --save-every 1000 --log-every 100 "$@"
    $sakuga export "runs/$name" -o "runs/styles/$name.onnx" --title "$title" --licence Apache-2.0 --overwrite \
        --data "$free" "$portraits" "$licence" "$lpips"
}

film() { # LOOK TITLE STEPS VIEWS COLOR LINES [MORE ...]: a look of CartoonGAN by a student that knows the whole picture
    look=$1 title=$2 steps=$3 views=$4 color=$5 lines=$6
    shift 6
    distill "$look" "$title" "$data/teachers/$look" "$(original "$look")" "$steps" --freeze 0 --match-tone --light 0.9 \
        --context --checkerboard 100 --views "$views" --color "$color" --lines "$lines" "$@"
}

filter() { # LOOK TITLE STEPS [MORE ...]: a chain of filters by a student that needs to know its surroundings alone
    look=$1 title=$2 steps=$3
    shift 3
    distill "$look" "$title" "sakuga.teachers:$look" "sakuga's filter chain $look|Apache-2.0|teacher" "$steps" \
        --views 240 --lines 8 --checkerboard 200 "$@"
}

first() { # the looks that wait for student 2 began with this run
    $sakuga train distill --run runs/first --photos "$data/photos" "$data/autotoon/photo" --teacher "$data/teachers/hosoda" \
        --precision bf16-mixed --clip 1 --steps 8000 --batch 4 --color 0.5 --save-every 1000 --log-every 100
}

caricature() { # not embedded yet: it wants hours of a machine of its own
    mkdir -p runs/portraits/caricature
    for portrait in runs/portraits/train/*; do
        ln -sf "$(realpath "$data")/autotoon/caricature/$(basename "$portrait")" runs/portraits/caricature/
    done
    $sakuga train autotoon --run runs/caricature --photos runs/portraits/train --targets runs/portraits/caricature \
        --warps "$data/autotoon/warp32.npz" --crop 128 --lr 5e-4 --steps 4000 --save-every 200
    $sakuga export runs/caricature -o runs/styles/caricature.onnx --half --title "Caricature" --licence Apache-2.0 \
        --overwrite --data "AutoToon's pairs, four of five|Apache-2.0, photos CC-BY, CC-BY-SA and public domain|pairs"
}

original() { echo "CartoonGAN's original $1 generator, Chen, Lai, Liu 2018|Apache-2.0 / MIT repositories|teacher"; }

for style in ${*:-hosoda anime comic oil ink hayao paprika shinkai cel}; do
    case $style in
    hosoda) film hosoda "Hosoda" 22000 742 0.25 4 ;;
    comic) filter comic "Comic book" 5000 ;;
    oil) filter oil "Oil paint" 5000 --perceptual 2 --adversarial 0.05 ;;
    ink) filter ink "Pen and ink" 3200 ;;
    hayao) film hayao "Hayao" 6000 700 0.4 10 --init runs/hosoda --lr 7e-4 ;;
    paprika) film paprika "Paprika" 6000 700 0.4 10 --init runs/hosoda --lr 7e-4 ;;
    shinkai) film shinkai "Shinkai" 6000 700 0.4 10 --init runs/hosoda --lr 7e-4 ;;
    anime) filter anime "Anime" 5000 ;;
    cel) filter cel "Cel" 2600 --init runs/anime ;;
    caricature) caricature ;;
    *) echo "unknown style $style" >&2 && exit 2 ;;
    esac
done
