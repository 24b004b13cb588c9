//! Which addresses may be reached on behalf of strangers: those of the public internet, and no others (RFC 6890 and the
//! IANA registries of special-purpose addresses). Everything behind our own firewall trusts us more than them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Decides on one address.
pub(super) type AddressRule = fn(IpAddr) -> bool;

/// Networks that are not public.
const SPECIAL_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),           // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // shared by carriers (RFC 6598)
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local: clouds keep credentials there
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relays (RFC 7526)
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, broadcast
];

/// Global unicast: nothing else can be public. That leaves out loopback, unspecified, link-local, unique-local,
/// multicast, and the forms with an IPv4 address inside: `::ffff:0:0/96`, `::/96`, `64:ff9b::/96`, `64:ff9b:1::/48`.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Networks within global unicast that are not public.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments: Teredo, benchmarks, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: an IPv4 address inside
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation (RFC 9637)
];

/// Public addresses.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|network| is_in_v4(address, *network)),
        IpAddr::V6(address) => {
            let special = SPECIAL_V6.iter().any(|network| is_in_v6(address, *network));
            is_in_v6(address, GLOBAL_V6) && !special && !is_isatap(address)
        }
    }
}

/// Public addresses and this machine, for development.
pub(super) fn is_public_or_loopback(address: IpAddr) -> bool {
    address.is_loopback() || is_public(address)
}

fn is_in_v4(address: Ipv4Addr, (network, prefix): (Ipv4Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= prefix
}

fn is_in_v6(address: Ipv6Addr, (network, prefix): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= prefix
}

/// `…:0:5efe:a.b.c.d` (RFC 5214 §6.1): an IPv4 address inside, whatever the prefix.
const fn is_isatap(address: Ipv6Addr) -> bool {
    let [.., scope, marker, _, _] = address.segments();
    matches!((scope, marker), (0 | 0x200, 0x5efe))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECIAL: &str = "
        0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.0.1
        169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1
        192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1
        255.255.255.255
        :: ::1 fe80::1 febf::1 fec0::1 fc00::1 fd00::1 fdff::1 ff02::1 ff0e::1 100::1 5f00::1 2001:db8::1 3fff::1
        3fff:fff::1 2001:2::1 2001:10::1 2001:20::1 4000::1 e000::1";

    const IPV4_INSIDE_IPV6: &str = "
        ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 ::8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1
        64:ff9b::8.8.8.8 64:ff9b:1::10.0.0.1 2002:7f00:1::1 2002:808:808::1 2001::1 2001:0:7f00:1::
        2a00:1450::5efe:127.0.0.1 2a00:1450::200:5efe:10.0.0.1";

    const PUBLIC: &str = "
        1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255
        169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255
        192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255
        160.79.104.1
        2606:4700::1111 2a00:1450:4001::200e 2001:200::1 2003::1 2001:4860:4860::8888 2001:db7::1 2001:db9::1
        3ffe:ffff::1 3fff:1000::1";

    /// Those of `addresses` that are not judged as `expected`.
    fn misjudged(addresses: &str, expected: bool) -> Vec<&str> {
        let wrong = |address: &&str| is_public(address.parse().unwrap()) != expected;
        addresses.split_whitespace().filter(wrong).collect()
    }

    #[test]
    fn special_addresses_of_every_family_are_refused() {
        assert_eq!(misjudged(SPECIAL, false), [""; 0]);
        assert_eq!(misjudged(IPV4_INSIDE_IPV6, false), [""; 0]);
    }

    #[test]
    fn public_addresses_are_taken_up_to_the_edges_of_special_networks() {
        assert_eq!(misjudged(PUBLIC, true), [""; 0]);
    }

    #[test]
    fn development_adds_this_machine_and_nothing_else() {
        for (address, allowed) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("8.8.8.8", true),
            ("10.0.0.1", false),
            ("::ffff:127.0.0.1", false),
            ("169.254.169.254", false),
        ] {
            assert_eq!(is_public_or_loopback(address.parse().unwrap()), allowed, "{address}");
        }
    }
}
