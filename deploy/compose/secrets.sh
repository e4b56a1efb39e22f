#!/bin/sh
# Makes the secrets, once, in a folder (its argument; else `secrets` beside this script); what is there stays. They are the superuser's, for group 10001 (the service's,
# and Valkey's by group_add) to read, and for nobody else. Keep a copy of patient-keys.json apart from the backups.
# In production put public token keys of your own (ES256, RS256, EdDSA) in the place of token-keys.json.
set -eu
umask 077
folder="${1:-$(dirname "$0")/secrets}"
mkdir -p -- "$folder"
cd -- "$folder"

random() { head -c 32 /dev/urandom | base64 | tr -d '\n'; }
url_safe() { tr '+/' '-_' | tr -d '='; }
make() { # make NAME: what comes on standard input, unless the file is there
    [ -e "$1" ] || { cat > ".$1" && mv ".$1" "$1"; }
    if [ "$(id -u)" = 0 ]; then chown 0:10001 "$1" && chmod 0440 "$1"; fi
}

printf '{"keys":[{"kty":"oct","kid":"first","alg":"HS256","use":"sig","k":"%s"}]}\n' "$(random | url_safe)" | make token-keys.json
printf '{"current":"first","keys":{"first":"%s"}}\n' "$(random)" | make patient-keys.json
random | url_safe | make valkey-password
printf 'requirepass %s\nprimaryauth %s\n' "$(cat valkey-password)" "$(cat valkey-password)" | make valkey-secrets.conf
if [ "$(id -u)" = 0 ]; then chmod 0750 . && chown 0:10001 .; fi
