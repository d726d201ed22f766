package facts

// Platforms, named as the folders of the public corpus are.
const (
	AristaEOS      = "arista_eos"
	ArubaAOSCX     = "aruba_aoscx"
	ArubaAOSS      = "aruba_aos_s"
	CheckPointGaia = "checkpoint_gaia"
	CiscoASA       = "cisco_asa"
	CiscoIOS       = "cisco_ios" // IOS and IOS-XE
	CiscoIOSXR     = "cisco_iosxr"
	CiscoNXOS      = "cisco_nxos"
	DellOS10       = "dell_os10"
	DellOS9        = "dell_os9"
	F5BIGIP        = "f5_bigip"
	FortiOS        = "fortinet_fortios"
	FRR            = "frr"
	HPEComware     = "hpe_comware"
	HuaweiVRP      = "huawei_vrp"
	Junos          = "juniper_junos" // braces and set
	Linux          = "linux"         // service files, live state
	LinuxIPTables  = "linux_iptables"
	LinuxNFTables  = "linux_nftables"
	MacOS          = "macos"
	NokiaSROS      = "nokia_sros"
	OPNsense       = "opnsense"
	PANOS          = "paloalto_panos" // set, braces and XML
	PfSense        = "pfsense"
	RouterOS       = "mikrotik_routeros"
	SONiC          = "sonic"
	VMwareESX      = "vmware_esxi"
	VyOS           = "vyos" // and EdgeOS
)

// Some configurations come in several shapes, and the corpus keeps a folder for each; Device.Platform names the shape.
// [PlatformFamily] is what all of them run.
const (
	JunosBrace = "juniper_junos_brace" // show configuration
	JunosSet   = "juniper_junos_set"   // show configuration | display set
	PANOSBrace = "paloalto_panos_brace"
	PANOSSet   = "paloalto_panos_set"
	PANOSXML   = "paloalto_panos_xml"
)

// PlatformFamily is the platform p is a shape of: "juniper_junos" for both shapes of Junos, "linux" for the filters of a
// Linux host, p itself for one that has no shapes.
func PlatformFamily(p string) string {
	switch p {
	case JunosBrace, JunosSet:
		return Junos
	case PANOSBrace, PANOSSet, PANOSXML:
		return PANOS
	case LinuxIPTables, LinuxNFTables:
		return Linux
	}
	return p
}
