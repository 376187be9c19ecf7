# shellcheck shell=bash
# Runs nginx with its RTMP module as a local media service; source after common.sh.

# write_media_service FOLDER ADDRESS RTMP_PORT HTTP_PORT
write_media_service() {
    local folder=$1 module=/usr/lib/nginx/modules/ngx_rtmp_module.so
    [ -e $module ] || die "nginx's RTMP module is not at $module"
    mkdir -p -- "$folder"
    sed -e "s|@MODULE@|$module|; s|@ADDRESS@|$2|; s|@RTMP_PORT@|$3|; s|@HTTP_PORT@|$4|" \
        Scripts/lib/media-service.conf >"$folder/media-service.conf"
}

# The command of it, for a caller who starts it and keeps its process id.
media_service_command() {
    local nginx
    nginx=$(PATH="$PATH:/usr/sbin:/sbin" command -v nginx) || die 'nginx is missing'
    printf '%s\n' "$nginx" -p "$1" -e "$1/error.log" -c "$1/media-service.conf"
}
