# The features of an archive, to be sourced: sets features.
#   profile=vod . ports/packaging/features.sh      FEATURES in the environment is used instead
case $profile in
    '') features=rt,default ;;
    # No log lines either: events say what a box must know.
    vod) features=rt,http1,log/max_level_off ;;
    *)
        echo "unknown profile $profile; known is vod" >&2
        exit 2 ;;
esac
features=${FEATURES:-$features}
