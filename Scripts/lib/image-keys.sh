# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # common.sh sets what is not set here; Scripts/image uses what is set
# The key that signs updates and the certificate that devices check them with. Source after common.sh.

# Sets `update_key` and `update_certificate` to a pair for development, made once and never part of a checkout.
need_development_keys() {
    local folder="$cache/update-keys" new
    if [ ! -e "$folder/key.pem" ]; then
        say "Making a key to sign updates with, in $folder"
        new=$(mktemp -d "$cache/update-keys.XXXXXX")
        openssl req -x509 -newkey rsa:3072 -nodes -days 7300 -subj '/O=EdgeAgent/CN=development updates' \
            -addext 'keyUsage=critical,digitalSignature' -addext 'extendedKeyUsage=emailProtection,codeSigning' \
            -keyout "$new/key.pem" -out "$new/certificate.pem" 2>"$cache/openssl.log" || {
            cat "$cache/openssl.log" >&2
            die 'the key could not be made'
        }
        chmod 600 "$new/key.pem"
        rm -rf -- "$folder"
        mv -- "$new" "$folder"
    fi
    update_key="$folder/key.pem"
    update_certificate="$folder/certificate.pem"
}
