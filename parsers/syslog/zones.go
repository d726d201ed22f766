package syslog

// zoneOffset reads a zone's abbreviation. ok says that it is one; UTC and GMT state an offset, every other is only the
// usual meaning: network devices take any text as their zone's name. Abbreviations with several common readings (IST,
// BST, ET, DST) have none: UTC is assumed.
func zoneOffset(b []byte) (seconds int32, kind zone, ok bool) {
	const hour = 3600
	switch string(b) {
	case "UTC", "GMT", "Z":
		return 0, statedZone, true
	case "WET", "IST", "BST", "ET", "CT", "MT", "PT", "DST":
		return 0, namedZone, true
	case "WEST", "CET", "MET":
		return 1 * hour, namedZone, true
	case "CEST", "MEST", "EET", "SAST", "CAT":
		return 2 * hour, namedZone, true
	case "EEST", "MSK", "EAT", "TRT":
		return 3 * hour, namedZone, true
	case "GST":
		return 4 * hour, namedZone, true
	case "PKT":
		return 5 * hour, namedZone, true
	case "ICT", "WIB":
		return 7 * hour, namedZone, true
	case "HKT", "SGT", "AWST", "PHT", "MYT":
		return 8 * hour, namedZone, true
	case "JST", "KST":
		return 9 * hour, namedZone, true
	case "ACST":
		return 9*hour + hour/2, namedZone, true
	case "AEST":
		return 10 * hour, namedZone, true
	case "ACDT":
		return 10*hour + hour/2, namedZone, true
	case "AEDT":
		return 11 * hour, namedZone, true
	case "NZST":
		return 12 * hour, namedZone, true
	case "NZDT":
		return 13 * hour, namedZone, true
	case "NST":
		return -(3*hour + hour/2), namedZone, true
	case "NDT":
		return -(2*hour + hour/2), namedZone, true
	case "BRT", "ART", "ADT":
		return -3 * hour, namedZone, true
	case "AST", "EDT":
		return -4 * hour, namedZone, true
	case "EST", "CDT", "COT", "PET":
		return -5 * hour, namedZone, true
	case "CST", "MDT":
		return -6 * hour, namedZone, true
	case "MST", "PDT":
		return -7 * hour, namedZone, true
	case "PST", "AKDT":
		return -8 * hour, namedZone, true
	case "AKST":
		return -9 * hour, namedZone, true
	case "HST":
		return -10 * hour, namedZone, true
	}
	return 0, noZone, false
}
