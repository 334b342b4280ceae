#!/bin/sh
case $1 in
  bound | renew)
    # busybox sets them: ip, mask, interface, router, siaddr
    ip addr add "$ip/${mask:-16}" dev "$interface"
    [ -z "$router" ] || ip route add default via "${router%% *}"
    echo "LAB lease $ip next=$siaddr"
    ;;
esac
