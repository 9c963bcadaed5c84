# What each target needs, to be sourced: sets TOOLS (prefix of binutils and compiler), CC, CFLAGS, EMULATOR, BARE.
#   TARGET=armv7-unknown-linux-gnueabihf . ports/packaging/targets.sh
# An architecture's own gcc counts as its cross compiler, so a build on an ARM machine works as well.
BARE=no
EMULATOR=
TARGET_CFLAGS=
case $TARGET in
    x86_64-unknown-linux-gnu) TOOLS=x86_64-linux-gnu- ;;
    armv7-unknown-linux-gnueabihf)
        TOOLS=arm-linux-gnueabihf-
        EMULATOR="qemu-arm -L /usr/arm-linux-gnueabihf" ;;
    aarch64-unknown-linux-gnu)
        TOOLS=aarch64-linux-gnu-
        EMULATOR="qemu-aarch64 -L /usr/aarch64-linux-gnu" ;;
    armv7a-none-eabi)
        BARE=yes TOOLS=arm-none-eabi-
        TARGET_CFLAGS="-march=armv7-a -marm -mfloat-abi=soft" ;;
    thumbv7em-none-eabihf)
        BARE=yes TOOLS=arm-none-eabi-
        TARGET_CFLAGS="-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16" ;;
    *)
        echo "unknown target $TARGET; known are x86_64-unknown-linux-gnu armv7-unknown-linux-gnueabihf" \
            "aarch64-unknown-linux-gnu armv7a-none-eabi thumbv7em-none-eabihf" >&2
        exit 2 ;;
esac
CC=${TOOLS}gcc
for tool in gcc ld ar nm objcopy objdump size; do
    command -v "$TOOLS$tool" >/dev/null || {
        echo "$TOOLS$tool is missing: run 'make setup'" >&2
        exit 1
    }
done
