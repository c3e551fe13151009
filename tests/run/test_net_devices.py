"""
`linux.netDevices`: devices that move into the container. The runtime runs in a network namespace
of the test's own, so that nothing of the machine's network is touched.
"""

import json
import subprocess

import pytest

CLASH = "network device \"{}\": {} in the container: file exists"


class Outside:
    """The network namespace that the runtime is in, and devices to be moved out of it."""

    def __init__(self, bundle, name):
        self.bundle, self.path = bundle, f"/run/netns/{name}"
        self.name = name
        self.wrapper = ("nsenter", f"--net={self.path}")

    def ip(self, *words, check=True):
        return subprocess.run(["ip", "-n", self.name, *words], check=check, text=True,
                              capture_output=True)

    def add(self, name, *addresses, kinds=(("dummy",), ("ifb",)), index=()):
        """A device of the first of these kinds that the kernel has."""
        for kind in kinds:
            made = self.ip("link", "add", name, *index, "type", *kind, check=False)
            if made.returncode == 0:
                break
        else:
            pytest.skip(f"no device of type {kind[0]}: {made.stderr.strip()}")
        self.ip("link", "set", name, "up")
        for address in addresses:
            self.ip("addr", "add", *address.split(), "dev", name)

    def links(self):
        return {link["ifname"]: link for link in json.loads(self.ip("-j", "addr").stdout)}

    def devices(self, **devices):
        """{old: new} as the container's; new None keeps the name."""
        self.bundle.linux["netDevices"] = {
            old: {"name": new} if new else {} for old, new in devices.items()}

    def run(self, script, *options):
        self.bundle.shell(script)
        return self.bundle.run(*options, wrapper=self.wrapper)


def make_namespace(name):
    made = subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no network namespace: {made.stderr.strip()}")


@pytest.fixture
def outside(bundle):
    make_namespace(bundle.id)
    yield Outside(bundle, bundle.id)
    bundle.finish()
    subprocess.run(["ip", "netns", "del", bundle.id], check=True)


@pytest.fixture
def given(bundle, outside):
    """A second network namespace, which the container joins."""
    name = f"{bundle.id}-given"
    make_namespace(name)
    there = Outside(bundle, name)
    bundle.namespace("network", there.path)
    yield there
    bundle.finish()
    subprocess.run(["ip", "netns", "del", name], check=True)


def link(name):
    return f"ip -o link show dev {name}"


def addresses(result):
    """"inet 10.0.0.1/24 brd 10.0.0.255" of each line of `ip -o addr`, without what may differ."""
    found = set()
    for line in result.ok().stdout.splitlines():
        words = line.split("scope")[0].split()[2:]
        if not words[1].startswith("fe80:"):
            found.add(" ".join(words))
    return found


def test_device_moves_and_is_up(outside):
    outside.add("dev0")
    outside.devices(dev0=None)
    out = outside.run(link("dev0")).ok().stdout
    assert "UP" in out.split("<")[1].split(">")[0].split(",")
    assert list(outside.links()) == ["lo"]


def test_device_that_was_down_is_up_inside(outside):
    outside.add("dev0")
    outside.ip("link", "set", "dev0", "down")
    outside.devices(dev0=None)
    assert "UP" in outside.run(link("dev0")).ok().stdout


def test_new_name(outside):
    outside.add("dev0")
    outside.devices(dev0="lan0")
    outside.run(f"{link('lan0')} && ! {link('dev0')}").ok()


def test_name_by_template(outside):
    outside.add("dev0")
    outside.add("dev1")
    outside.devices(dev0="lan%d", dev1="lan%d")
    outside.run(f"{link('lan0')} && {link('lan1')}").ok()


def test_permanent_global_addresses_move_along(outside):
    outside.add("dev0", "192.0.2.1/24 broadcast 192.0.2.255", "198.51.100.1 peer 198.51.100.2/32",
                "2001:db8::1/64 nodad", "203.0.113.1/24 scope link", "192.0.2.77/24 valid_lft 900 "
                "preferred_lft 900")
    outside.devices(dev0="lan0")
    assert addresses(outside.run("ip -o addr show dev lan0")) == {
        "inet 192.0.2.1/24 brd 192.0.2.255", "inet 198.51.100.1 peer 198.51.100.2/32",
        "inet6 2001:db8::1/64"}


def test_many_addresses(outside):
    """More than one answer of the kernel has room for."""
    outside.add("dev0")
    words = [f"addr add 10.1.{i // 250}.{i % 250 + 1}/32 dev dev0" for i in range(1000)]
    subprocess.run(["ip", "-n", outside.name, "-batch", "-"], input="\n".join(words), text=True,
                   check=True)
    outside.devices(dev0=None)
    assert outside.run("ip -o addr show dev dev0 | grep -c 'inet 10.1.'").ok().stdout == "1000\n"


def test_other_attributes_stay(outside):
    outside.add("dev0", kinds=[("veth", "peer", "name", "end")])
    outside.ip("link", "set", "dev0", "down")
    outside.ip("link", "set", "dev0", "mtu", "1234", "address", "02:11:22:33:44:55")
    outside.devices(dev0="lan0")
    out = outside.run(link("lan0")).ok().stdout
    assert "mtu 1234" in out and "02:11:22:33:44:55" in out


def test_both_ends_of_a_cable_speak(bundle, outside):
    outside.add("cable", "192.0.2.1/24", kinds=[("veth", "peer", "name", "end")])
    outside.ip("addr", "add", "192.0.2.2/24", "dev", "end")
    bundle.capabilities(["CAP_NET_RAW"])
    outside.devices(end="eth0")
    outside.run("ping -c 1 -W 5 192.0.2.1").ok()


def test_root_of_a_user_namespace_gets_it(bundle, outside):
    bundle.user_namespace()
    outside.add("dev0", "192.0.2.1/24")
    outside.devices(dev0="lan0")
    assert "inet 192.0.2.1/24" in addresses(outside.run("ip -o addr show dev lan0"))


def test_hooks_find_it(bundle, outside):
    outside.add("dev0")
    outside.devices(dev0="lan0")
    bundle.hook("createContainer", "ip link show dev lan0")
    outside.run("true").ok()


def test_given_namespace(bundle, outside, given):
    outside.add("dev0", "192.0.2.1/24")
    outside.devices(dev0="lan0")
    outside.run("true").ok()
    assert given.links()["lan0"]["addr_info"][0]["local"] == "192.0.2.1"  # nobody takes it back


def test_index_that_is_taken(outside, given):
    outside.add("dev0", "192.0.2.1/24", index=("index", "77"))
    given.add("other", index=("index", "77"))
    given.add("next", index=("index", "78"))
    outside.devices(dev0="lan0")
    outside.run("true").ok()
    lan = given.links()["lan0"]
    assert lan["ifindex"] not in (77, 78) and lan["addr_info"][0]["local"] == "192.0.2.1"
    assert "UP" in lan["flags"]


def test_device_ends_with_the_container(bundle, outside):
    outside.add("dev0")
    outside.devices(dev0=None)
    bundle.sleep()
    bundle.run_detached(wrapper=outside.wrapper).ok()
    assert bundle.exec("ip", "link", "show", "dev", "dev0").ok()
    bundle.delete("--force").ok()
    assert list(outside.links()) == ["lo"]


def settled(device):
    """A device without the address that the kernel is still trying out."""
    own = [a for a in device["addr_info"] if not a["local"].startswith("fe80:")]
    return device | {"addr_info": own}


@pytest.mark.parametrize("new", ["lo", None])
def test_name_that_is_taken(outside, given, new):
    """The device is as it was."""
    outside.add("dev0", "2001:db8::1/64 nodad")
    given.add("dev0")
    before = settled(outside.links()["dev0"])
    outside.devices(dev0=new)
    message = outside.run("true").fails(part=CLASH.format("dev0", new or "dev0"),
                                        pointer="/linux/netDevices/dev0")
    assert message.hint == "give it another name, or one with %d for a number"
    assert settled(outside.links()["dev0"]) == before


def test_device_that_is_not_there(bundle, outside):
    outside.devices(dev0=None)
    message = outside.run("true").fails(part='network device "dev0": find the device: no such device',
                                        pointer="/linux/netDevices/dev0")
    line = (bundle.path / "config.json").read_text().splitlines()[message.place[0] - 1]
    assert '"dev0"' in line
    assert "runtime's network namespace" in message.hint


def test_device_that_cannot_move(outside):
    """One that the kernel keeps in its namespace; newer ones say so in words of their own."""
    outside.devices(lo="lan0")
    outside.run("true").fails(part='network device "lo": move the device: invalid argument')


def test_namespace_of_the_runtime_itself(bundle, outside):
    outside.add("dev0")
    bundle.namespace("network", outside.path)
    outside.devices(dev0="lan0")
    outside.run("true").fails(part="unable to move network devices without a NET namespace")
    assert "dev0" in outside.links()


@pytest.mark.parametrize("devices, text, pointer", [
    ({"sixteen_letters_": {}}, 'invalid network device name "sixteen_letters_"',
     "/linux/netDevices/sixteen_letters_"),
    ({"dev0": {"name": "a/b"}}, 'invalid network device name "a/b"',
     "/linux/netDevices/dev0/name"),
    ({"dev0": {"name": "a"}, "dev1": {"name": "a"}}, 'two network devices are named "a"',
     "/linux/netDevices/dev1/name"),
])
def test_mistake(bundle, devices, text, pointer):
    bundle.linux["netDevices"] = devices
    message = bundle.run().fails(part=text, pointer=pointer)
    line = (bundle.path / "config.json").read_text().splitlines()[message.place[0] - 1]
    assert pointer.rsplit("/", 1)[1] in line


def test_network_of_the_host(bundle):
    bundle.host_namespace("network")
    bundle.linux["netDevices"] = {"dev0": {}}
    bundle.run().fails(part="unable to move network devices without a NET namespace",
                       pointer="/linux/netDevices")


def test_network_device_is_data_of_the_configuration(bundle):
    bundle.linux["netDevices"] = {"dev0": {"name": "lan%d"}}
    bundle.save()
    out = bundle.creel("explain", "-b", bundle.path, bundle.id).ok().stdout
    assert "move network device dev0 into the container as lan%d  [/linux/netDevices/dev0]" in out
