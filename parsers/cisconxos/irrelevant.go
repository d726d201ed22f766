package cisconxos

// irrelevant are statements that cannot bear on transfers, with all below them, and why.
var irrelevant = map[string]string{
	"vdc": "virtual devices and their resources", "cfs": "fabric services", "power": "power supplies", "vlan": "switching", "spanning-tree": "switching", "vpc": "switching",
	"port-channel": "switching", "mac": "switching", "lacp": "switching", "udld": "switching", "lldp": "discovery", "cdp": "discovery", "monitor": "mirroring", "track": "health",
	"copp": "limits of what the control plane is sent", "policy-map": "priorities", "qos": "priorities", "system": "settings of the device as a whole", "rmon": "alarms", "role": "what commands roles may give",
	"no password": "password rules", "password": "password rules", "banner": "texts", "clock": "time", "callhome": "support", "license": "licences", "hardware": "hardware", "errdisable": "ports",
	"fabric": "fabric", "nv": "overlays", "evpn": "overlays", "key": "keys, which are found as secrets", "crypto": "certificates and tunnels' keys", "ssh": "keys of the server", "telnet": "the client", "fips": "modes",
	"install": "feature sets", "feature-set": "feature sets", "template": "templates", "snmp": "monitoring", "cts": "security groups", "dot1x": "logins of ports", "port-security": "ports", "storm-control": "limits",
	"slot": "hardware", "poweroff": "hardware", "mpls": "labels", "segment-routing": "labels", "bfd": "health", "hsrp": "redundancy", "vrrp": "redundancy", "glbp": "redundancy", "otv": "overlays", "lisp": "overlays", "ethernet": "switching",
	"security": "security settings", "userpassphrase": "password rules", "login": "login rules", "diagnostic": "diagnostics", "ptp": "time", "mvr": "multicast", "multicast": "multicast", "tag": "labels", "virtual-service": "containers' settings", "terminal": "the terminal",
	"fex": "hardware", "platform": "hardware", "switch-profile": "profiles", "config": "profiles", "forwarding": "hardware", "fcoe": "storage", "fcdomain": "storage", "vsan": "storage", "zone": "storage", "zoneset": "storage", "device-alias": "storage", "fcalias": "storage", "fspf": "storage",
	"telemetry": "telemetry", "grpc": "the port and certificate of gRPC", "restconf": "settings of RESTCONF", "netconf": "settings of NETCONF", "openflow": "forwarding", "itd": "load balancing", "catena": "chaining", "icam": "health", "ngoam": "health", "vxlan": "overlays", "service": "settings", "xml": "the XML server's limits", "no system": "ports' defaults", "no logging": "what is logged", "no snmp-server": "traps", "no ip": "settings of the IP stack", "wrr-queue": "priorities", "bridge-domain": "switching", "no feature": "features", "encapsulation": "switching", "nve": "overlays", "apply": "profiles", "class": "priorities", "flowcontrol": "ports", "no shutdown": "", "end": "the end", "exit": "the end of a block", "no copp": "limits",
}

// lookAlikes name a transfer protocol and make no transfer (reference table of look-alikes: the level of a log facility; the
// commands a role may give).
var lookAlikes = map[string]string{
	"logging level ftp": "the level of a log facility", "logging level tftp": "the level of a log facility", "permit command": "what a role may give", "deny command": "what a role may give",
	"logging level": "levels of log facilities",
}
