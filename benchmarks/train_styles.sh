#!/bin/sh
# Train the embedded styles, each by the command that made it: train_styles.sh DATA [STYLE ...]
# DATA holds photos/, autotoon/photo/ (portraits), teachers/ (CartoonGAN's generators) and paintings/; runs/ is where
# trainings live, and the same command goes on where it stopped. Styles are written to runs/styles/.
set -eu
data=$1
shift
sakuga=${SAKUGA:-sakuga}
photos="$data/photos $data/autotoon/photo"
free="photographs of GCompris, MATE, Lomiri and Plasma|GPL-3.0+, CC-BY-SA, CC-BY and public domain, per file|photos"
portraits="portraits of the AutoToon data set|CC-BY, CC-BY-SA and public domain, per file|photos"
lpips="AlexNet and LPIPS v0.1 weights|BSD|perceptual loss"
vgg="VGG-16 weights|BSD|perceptual loss"
mkdir -p runs/styles

distill() { # NAME TITLE TEACHER TEACHER'S-LICENCE STEPS [MORE ...]
    name=$1 title=$2 teacher=$3 licence=$4 steps=$5
    shift 5
    $sakuga train distill --run "runs/$name" --photos $photos --teacher "$teacher" --precision bf16-mixed --clip 1 \
        --steps "$steps" --batch 4 --save-every 1000 --log-every 100 "$@"
    $sakuga export "runs/$name" -o "runs/styles/$name.onnx" --title "$title" --licence Apache-2.0 --overwrite \
        --data "$free" "$portraits" "$licence" "$lpips"
}

paint() { # NAME TITLE FILE STEPS CHECKERBOARD
    name=$1 title=$2 file=$3 steps=$4 checkerboard=$5
    $sakuga train fast_style --run "runs/$name" --photos $photos --style "$file" --body fast --precision bf16-mixed --clip 1 \
        --side 480 --crop 192 --batch 2 --steps "$steps" --ema 0.99 --style-weight 3 --checkerboard "$checkerboard" \
        --save-every 100 --log-every 50
    $sakuga export "runs/$name" -o "runs/styles/$name.onnx" --title "$title" --licence Apache-2.0 --overwrite \
        --data "$free" "$portraits" "$title|public domain|style" "$vgg"
}

original() { echo "CartoonGAN's original $1 generator, Chen, Lai, Liu 2018|Apache-2.0 / MIT repositories|teacher"; }

for style in ${*:-hosoda hayao paprika shinkai cel starry-night great-wave}; do
    case $style in
    hosoda) distill hosoda "Hosoda" "$data/teachers/hosoda" "$(original hosoda)" 8000 --color 0.5 ;;
    hayao) distill hayao "Hayao" "$data/teachers/hayao" "$(original hayao)" 6000 --init runs/hosoda --color 0.5 ;;
    paprika) distill paprika "Paprika" "$data/teachers/paprika" "$(original paprika)" 2000 --init runs/hosoda --color 0.5 ;;
    shinkai) distill shinkai "Shinkai" "$data/teachers/shinkai" "$(original shinkai)" 2000 --init runs/hosoda ;;
    cel) distill cel "Cel" sakuga.teachers:cel "sakuga's filter chain cel|Apache-2.0|teacher" 5000 --init runs/hosoda ;;
    starry-night) paint starry-night "The Starry Night, Van Gogh" "$data/paintings/van-gogh-starry-night.jpg" 800 200 ;;
    great-wave) # goes on from step 800 with a heavier penalty: its hatching had begun to follow the squares
        paint great-wave "The Great Wave, Hokusai" "$data/paintings/hokusai-great-wave.jpg" 800 200
        paint great-wave "The Great Wave, Hokusai" "$data/paintings/hokusai-great-wave.jpg" 1100 1000
        ;;
    *) echo "unknown style $style" >&2 && exit 2 ;;
    esac
done
