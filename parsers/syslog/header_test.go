package syslog

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/facts"
)

// What a header test states of a line. Times are RFC 3339; empty is none.
type read struct {
	Host, Tag, Pid, Body string
	At, Relay            string
	Quality              facts.StampQuality
	Seq                  uint64
	PRI                  int16
}

func TestHeader(t *testing.T) {
	// The file was written on 2024-03-10.
	limit := limitAt(time.Date(2024, 3, 11, 0, 0, 0, 0, time.UTC).Unix())
	tests := []struct {
		name string
		line string
		want read
	}{
		// RFC 3164 and the files that relays write.
		{"rfc 3164", "<34>Oct 11 22:14:15 mymachine su: 'su root' failed", read{"mymachine", "su", "", "'su root' failed", "2023-10-11T22:14:15Z", "", facts.ZoneAssumed, 0, 34}},
		{"file", "Jan 22 07:54:01 h1.example.net CRON[31068]: (root) CMD (x)", read{"h1.example.net", "CRON", "31068", "(root) CMD (x)", "2024-01-22T07:54:01Z", "", facts.ZoneAssumed, 0, -1}},
		{"no host", "<94>Nov 23 11:05:27 vsftpd[449]: [ftp] OK UPLOAD", read{"", "vsftpd", "449", "[ftp] OK UPLOAD", "2023-11-23T11:05:27Z", "", facts.ZoneAssumed, 0, 94}},
		{"no tag", "Jan 22 07:54:32 h1 Job `cron.daily' terminated", read{"h1", "", "", "Job `cron.daily' terminated", "2024-01-22T07:54:32Z", "", facts.ZoneAssumed, 0, -1}},
		{"iso", "2021-03-06T04:07:33.194677+01:00 h1 prog: text", read{"h1", "prog", "", "text", "2021-03-06T03:07:33.194677Z", "", facts.Exact, 0, -1}},
		{"mac", "Mar 11 19:26:45 mac1 sockerfilterfw[1985] <Info>: launchd Allow", read{"mac1", "sockerfilterfw", "1985", "launchd Allow", "2023-03-11T19:26:45Z", "", facts.ZoneAssumed, 0, -1}},
		{"v6 relay", "Jan  2 03:04:05 2001:db8::7 sshd[1]: x", read{"2001:db8::7", "sshd", "1", "x", "2024-01-02T03:04:05Z", "", facts.ZoneAssumed, 0, -1}},
		{"nothing", "with another line", read{"", "", "", "with another line", "", "", facts.NoTime, 0, -1}},
		{"pri only", "<13>hello: world", read{"", "hello", "", "world", "", "", facts.NoTime, 0, 13}},
		{"not a pri", "<192>x", read{"", "", "", "<192>x", "", "", facts.NoTime, 0, -1}},
		{"leap day", "Feb 29 01:15:43 h1 a: x", read{"h1", "a", "", "x", "2024-02-29T01:15:43Z", "", facts.ZoneAssumed, 0, -1}},
		{"no such day", "Feb 30 01:15:43 h1 a: x", read{"", "", "", "Feb 30 01:15:43 h1 a: x", "", "", facts.NoTime, 0, -1}},
		{"a day ahead is this year", "Mar 10 23:59:59 h1 a: x", read{"h1", "a", "", "x", "2024-03-10T23:59:59Z", "", facts.ZoneAssumed, 0, -1}},
		{"two days ahead is last year", "Mar 11 23:59:59 h1 a: x", read{"h1", "a", "", "x", "2023-03-11T23:59:59Z", "", facts.ZoneAssumed, 0, -1}},
		{"octet count", "83 <34>Oct 11 22:14:15 m su: x", read{"m", "su", "", "x", "2023-10-11T22:14:15Z", "", facts.ZoneAssumed, 0, 34}},
		{"relay of a relay", "May  2 15:21:27 10.100.0.33 May  2 15:21:26 srx1 rpd[12]: text", read{"srx1", "rpd", "12", "text", "2023-05-02T15:21:26Z", "2023-05-02T15:21:27Z", facts.ZoneAssumed, 0, -1}},
		{"relay keeps pri", "2024-01-02T03:04:05Z 10.0.0.1 <30>Jan  2 03:04:04 h9 d[1]: x", read{"h9", "d", "1", "x", "2024-01-02T03:04:04Z", "2024-01-02T03:04:05Z", facts.Exact, 0, 30}},
		// RFC 5424.
		{"rfc 5424", `<165>1 2003-10-11T22:14:15.003Z m1 evntslog 111 ID47 [x@1 a="b\]" c="]"][y@2] An event`, read{"m1", "evntslog", "111", "An event", "2003-10-11T22:14:15.003Z", "", facts.Exact, 0, 165}},
		{"rfc 5424 bom", "<34>1 2003-10-11T22:14:15.003Z m1 su - - - \xef\xbb\xbf'su root' failed", read{"m1", "su", "", "'su root' failed", "2003-10-11T22:14:15.003Z", "", facts.Exact, 0, 34}},
		{"rfc 5424 no time", "<34>1 - m1 su - - - x", read{"m1", "su", "", "x", "", "", facts.NoTime, 0, 34}},
		{"rfc 5424 sequence", `<34>1 2003-10-11T22:14:15.003Z m1 su - - [meta sequenceId="29"] x`, read{"m1", "su", "", "x", "2003-10-11T22:14:15.003Z", "", facts.Exact, 29, 34}},
		{"check point", `<134>1 2020-03-29T13:19:22Z gw CheckPoint 1930 - [action:"Accept"; src:"192.0.2.1"]`, read{"gw", "CheckPoint", "1930", `[action:"Accept"; src:"192.0.2.1"]`, "2020-03-29T13:19:22Z", "", facts.Exact, 0, 134}},
		{"meraki", "<134>1 1647479278.997155282 MX100 flows src=192.0.2.1", read{"MX100", "flows", "", "src=192.0.2.1", "2022-03-17T01:07:58.997155282Z", "", facts.Exact, 0, 134}},
		{"ios in rfc 5424", "<189>1 2024-01-02T03:04:05.678Z r1 - - - - : %SYS-5-CONFIG_I: x", read{"r1", "", "", "%SYS-5-CONFIG_I: x", "2024-01-02T03:04:05.678Z", "", facts.Exact, 0, 189}},
		// Cisco IOS, NX-OS, IOS XR, EOS.
		{"ios", "<189>24: r1: May 23 15:49:32.302: %SYS-5-CONFIG_I: x", read{"r1", "", "", "%SYS-5-CONFIG_I: x", "2023-05-23T15:49:32.302Z", "", facts.ZoneAssumed, 24, 189}},
		{"ios counter and sequence", "<166>7433: ASR920: 007439: 2y10w: %SEC_LOGIN-5-LOGIN_SUCCESS: x", read{"ASR920", "", "", "%SEC_LOGIN-5-LOGIN_SUCCESS: x", "1972-03-11T00:00:00Z", "", facts.UptimeOnly, 7433, 166}},
		{"ios year and zone", "*Oct 17 2018 12:45:34.347 PDT: %SYS-5-CONFIG_I: x", read{"", "", "", "%SYS-5-CONFIG_I: x", "2018-10-17T19:45:34.347Z", "", facts.Unsynced, 0, -1}},
		{"ios never set", "*Mar  1 00:05:00.159: %SYS-5-CONFIG_NV_I: x", read{"", "", "", "%SYS-5-CONFIG_NV_I: x", "2024-03-01T00:05:00.159Z", "", facts.Unsynced, 0, -1}},
		{"ios sync lost", "<190>1: sw: .Jul 11 15:15:41: %A-6-B: x", read{"sw", "", "", "%A-6-B: x", "2023-07-11T15:15:41Z", "", facts.Unsynced, 1, 190}},
		{"ios uptime", "00:18:04: %SYS-5-CONFIG_NV_I: x", read{"", "", "", "%SYS-5-CONFIG_NV_I: x", "1970-01-01T00:18:04Z", "", facts.UptimeOnly, 0, -1}},
		{"ios utc", "<190>1: sw01: Jan 16 22:11:43.398 UTC: %FOO-6-BAR: x", read{"sw01", "", "", "%FOO-6-BAR: x", "2024-01-16T22:11:43.398Z", "", facts.YearInferred, 1, 190}},
		{"ios own zone name", "<190>1: sw01: Jan 16 22:11:43 VIENNA: %FOO-6-BAR: x", read{"sw01", "", "", "%FOO-6-BAR: x", "2024-01-16T22:11:43Z", "", facts.ZoneAssumed, 1, 190}},
		{"catos", "Jul 11 15:15:41 EDT:%SYS-5-CONFIG:Configured", read{"", "", "", "%SYS-5-CONFIG:Configured", "2023-07-11T19:15:41Z", "", facts.ZoneAssumed, 0, -1}},
		{"origin id first", "HOSTNAME: Oct 21 05:12:05.185 PDT: %SYS-5-CONFIG_P: x", read{"HOSTNAME", "", "", "%SYS-5-CONFIG_P: x", "2023-10-21T12:12:05.185Z", "", facts.ZoneAssumed, 0, -1}},
		{"relay and device", "Feb  8 04:00:48 192.168.100.2 585917: Feb  8 04:00:47.272: %SEC-6-IPACCESSLOGRP: x", read{"192.168.100.2", "", "", "%SEC-6-IPACCESSLOGRP: x", "2024-02-08T04:00:47.272Z", "2024-02-08T04:00:48Z", facts.ZoneAssumed, 585917, -1}},
		{"relay, origin id, device", "Feb  8 04:00:48 192.168.100.2 54: core1: 000051: Feb  8 01:00:47.272: %A-6-B: x", read{"core1", "", "", "%A-6-B: x", "2024-02-08T04:00:47.272Z", "2024-02-08T04:00:48Z", facts.ZoneAssumed, 54, -1}},
		{"exact relay dates the device", "2021-01-01T00:00:01+00:00 192.0.2.1 9: Jan  1 01:00:00.500 CET: %A-6-B: x", read{"192.0.2.1", "", "", "%A-6-B: x", "2021-01-01T00:00:00.5Z", "2021-01-01T00:00:01Z", facts.Exact, 9, -1}},
		{"new year between device and relay", "2021-01-01T00:00:01+00:00 192.0.2.1 9: Dec 31 23:59:59.500: %A-6-B: x", read{"192.0.2.1", "", "", "%A-6-B: x", "2020-12-31T23:59:59.5Z", "2021-01-01T00:00:01Z", facts.Exact, 9, -1}},
		{"unset device clock gives way", "2021-01-01T00:00:01+00:00 192.0.2.1 9: *Mar  1 00:05:00: %A-6-B: x", read{"192.0.2.1", "", "", "%A-6-B: x", "2021-01-01T00:00:01Z", "2021-01-01T00:00:01Z", facts.Exact, 9, -1}},
		{"uptime gives way", "2021-01-01T00:00:01+00:00 192.0.2.1 9: 2w3d: %A-6-B: x", read{"192.0.2.1", "", "", "%A-6-B: x", "2021-01-01T00:00:01Z", "2021-01-01T00:00:01Z", facts.Exact, 9, -1}},
		{"zone before a lone colon", "<166>: Apr 29 13:58:46 EDT : %UCSM-6-AUDIT: x", read{"", "", "", "%UCSM-6-AUDIT: x", "2023-04-29T17:58:46Z", "", facts.ZoneAssumed, 0, 166}},
		{"zone where a tag would be", "<189>Jun 14 12:00:59 ac2109-sr2 AEST: %A-6-B: x", read{"ac2109-sr2", "", "", "%A-6-B: x", "2023-06-14T02:00:59Z", "", facts.ZoneAssumed, 0, 189}},
		{"nxos", "<190>sw01.pdx01: 2017 Jul 28 14:42:46 UTC: %AUTHPRIV-6-SYSTEM_MSG: x", read{"sw01.pdx01", "", "", "%AUTHPRIV-6-SYSTEM_MSG: x", "2017-07-28T14:42:46Z", "", facts.Exact, 0, 190}},
		{"nxos empty counter", "<190>: 2023 May  2 12:55:19 UTC: %A-6-B: x", read{"", "", "", "%A-6-B: x", "2023-05-02T12:55:19Z", "", facts.Exact, 0, 190}},
		{"nxos relay", "May  2 15:21:27 10.100.0.33 : 2023 May  2 15:21:27.206 UTC: %A-6-B: x", read{"10.100.0.33", "", "", "%A-6-B: x", "2023-05-02T15:21:27.206Z", "2023-05-02T15:21:27Z", facts.Exact, 0, -1}},
		{"nxos host after", "<190>2018 Apr 20 13:15:15 nexus-switch %ETHPORT-5-IF_UP: x", read{"nexus-switch", "", "", "%ETHPORT-5-IF_UP: x", "2018-04-20T13:15:15Z", "", facts.ZoneAssumed, 0, 190}},
		{"xr", "<190>40: xrv RP/0/RP0/CPU0:Oct  4 22:52:47.441 : cfgmgr_trial_confirm[67310]: %MGBL-CONFIG-6-DB_COMMIT : x", read{"xrv", "cfgmgr_trial_confirm", "67310", "%MGBL-CONFIG-6-DB_COMMIT : x", "2023-10-04T22:52:47.441Z", "", facts.ZoneAssumed, 40, 190}},
		{"eos", "<165>Oct 23 12:22:50 GeorgeSwitch ConfigAgent: %SYS-5-CONFIG_STARTUP: x", read{"GeorgeSwitch", "ConfigAgent", "", "%SYS-5-CONFIG_STARTUP: x", "2023-10-23T12:22:50Z", "", facts.ZoneAssumed, 0, 165}},
		{"wlc task", "<132>wlc1: *spamApTask1: May 26 18:52:01.958: %CAPWAP-4-DISC: x", read{"wlc1", "", "", "%CAPWAP-4-DISC: x", "2023-05-26T18:52:01.958Z", "", facts.ZoneAssumed, 0, 132}},
		{"anchor without header", "%SYS-5-CONFIG_I: Configured", read{"", "", "", "%SYS-5-CONFIG_I: Configured", "", "", facts.NoTime, 0, -1}},
		{"a message inside a message", "Nov 23 16:36:22 h1 in.tftpd[306]: RRQ from 198.51.100.7 filename %SYS-5-CONFIG_I: Configured", read{"h1", "in.tftpd", "306", "RRQ from 198.51.100.7 filename %SYS-5-CONFIG_I: Configured", "2023-11-23T16:36:22Z", "", facts.ZoneAssumed, 0, -1}},
		{"a message inside a message without pid", "Nov 23 16:36:22 h1 tftpd: RRQ %SYS-5-CONFIG_I: Configured", read{"h1", "tftpd", "", "RRQ %SYS-5-CONFIG_I: Configured", "2023-11-23T16:36:22Z", "", facts.ZoneAssumed, 0, -1}},
		{"huawei", "<29>2018-7-23 01:00:33.270.1 hw %%01IFNET/4/IF_STATE(l)[4997]:Interface up", read{"hw", "%%01IFNET/4/IF_STATE(l)", "4997", "Interface up", "2018-07-23T01:00:33.27Z", "", facts.ZoneAssumed, 0, 29}},
		// ASA, FTD.
		{"asa", "<166>Mar 03 2023 08:50:32 fw1 : %ASA-6-302013: x", read{"fw1", "", "", "%ASA-6-302013: x", "2023-03-03T08:50:32Z", "", facts.ZoneAssumed, 0, 166}},
		{"asa host colon", "Dec 11 2018 08:01:24 127.0.0.1: %FTD-6-302015: x", read{"127.0.0.1", "", "", "%FTD-6-302015: x", "2018-12-11T08:01:24Z", "", facts.ZoneAssumed, 0, -1}},
		{"asa upper-case host", "Apr 27 02:03:03 DEV: %ASA-5-111010: x", read{"DEV", "", "", "%ASA-5-111010: x", "2023-04-27T02:03:03Z", "", facts.ZoneAssumed, 0, -1}},
		{"asa no host", "Apr 29 2013 12:59:50: %ASA-6-305011: x", read{"", "", "", "%ASA-6-305011: x", "2013-04-29T12:59:50Z", "", facts.ZoneAssumed, 0, -1}},
		{"asa tag", "Oct 10 2018 12:34:56 localhost CiscoASA[999]: %ASA-6-305011: x", read{"localhost", "CiscoASA", "999", "%ASA-6-305011: x", "2018-10-10T12:34:56Z", "", facts.ZoneAssumed, 0, -1}},
		{"asa zone", "Apr 15 2014 09:34:34 EDT: %ASA-session-5-106100: x", read{"", "", "", "%ASA-session-5-106100: x", "2014-04-15T13:34:34Z", "", facts.ZoneAssumed, 0, -1}},
		{"ftd iso", "2019-08-16T09:54:00Z firepower  %FTD-1-430003: x", read{"firepower", "", "", "%FTD-1-430003: x", "2019-08-16T09:54:00Z", "", facts.Exact, 0, -1}},
		{"ngips", "2020-03-01T01:02:36Z SENSOR-3D Alerts %NGIPS-0-430003: x", read{"SENSOR-3D", "Alerts", "", "%NGIPS-0-430003: x", "2020-03-01T01:02:36Z", "", facts.Exact, 0, -1}},
		// ESXi.
		{"esxi 8", "2023-12-05T17:38:21.798Z In(14) shell[1053659]: [root]: ls", read{"", "shell", "1053659", "[root]: ls", "2023-12-05T17:38:21.798Z", "", facts.Exact, 0, 14}},
		{"esxi 7", "2023-02-21T09:39:35Z shell[2239481]: [root]: ls", read{"", "shell", "2239481", "[root]: ls", "2023-02-21T09:39:35Z", "", facts.Exact, 0, -1}},
		// Repeats.
		{"rsyslog repeat", "Jan  1 00:00:01 h1 prog: message repeated 7 times: [ text]", read{"h1", "prog", "", "text", "2024-01-01T00:00:01Z", "", facts.ZoneAssumed, 0, -1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h header
			b := []byte(tt.line + "\r")
			h.read(b, new(memo))
			got := read{Host: string(h.host.of(b)), Tag: string(h.tag.of(b)), Pid: string(h.pid.of(b)), Body: string(h.body.of(b)), Seq: h.seq, PRI: h.pri}
			var at, relay facts.Stamp
			switch h.times {
			case 1:
				at = h.stamps[0].resolve(limit)
			case 2:
				at, relay = resolveRelayed(&h.stamps[1], &h.stamps[0], limit)
			}
			got.At, got.Relay, got.Quality = text(at), text(relay), at.Quality
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", tt.line, diff)
			}
		})
	}
}

func text(s facts.Stamp) string {
	if s.Quality == facts.NoTime {
		return ""
	}
	return s.Time().Format(time.RFC3339Nano)
}

func TestNoReference(t *testing.T) {
	var h header
	h.read([]byte("Feb 29 01:02:03 h1 a: x"), new(memo))
	at := h.stamps[0].resolve(calendarLimit{})
	if at.Quality != facts.UptimeOnly || at.Time().Format("01-02 15:04:05") != "02-29 01:02:03" {
		t.Errorf("without a reference: %v, quality %d", at.Time(), at.Quality)
	}
}

func TestUnixDay(t *testing.T) {
	for d := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 2105; d = d.AddDate(0, 0, 1) {
		if got, want := unixDay(d.Year(), uint8(d.Month()), uint8(d.Day())), d.Unix()/86400; got != want {
			t.Fatalf("unixDay(%v) = %d, want %d", d, got, want)
		}
	}
}

// TestMemo: what is remembered of other lines changes nothing.
func TestMemo(t *testing.T) {
	lines := []string{
		"<166>Mar 03 2023 08:50:32 fw1 : %ASA-6-302013: x", "<190>Mar 03 2023 08:50:32 fw1 : %FOO-6-BAR: x", "<1>Mar  3 08:50:32 fw1 : %ASA-6-302014: y",
		"Mar 03 2023 08:50:32: %ASA-6-302013: x", "Mar 03 2023 08:50:32Z: %ASA-6-302013: x", "2023-03-03T08:50:32: %ASA-6-302013: x", "2023-03-03T08:50:32Z: %ASA-6-302013: x",
		"Mar 03 2023 08:50:32 UTC: %ASA-6-302013: x", "2023-03-03T08:50:32Z UTC: %ASA-6-302013: x", "Mar 03 2023 08:50:32 UTC: %FOO-6-BAR: x", "Mar 03 2023 08:50:32 ABC: %ASA-6-302013: x",
		"Mar 03 2023 08:50:32 ABC: %FOO-6-BAR: x", "00:18:04: %FOO-6-BAR: x", "*Mar  3 08:50:32 fw1 : %ASA-6-302013: x", "Mar 03 08:50:32 fw1 : text", "Mar 03 08:50:32 fw1 : %Error",
		"Mar 03 08:50:32 sw1 Agent: %FOO-6-BAR: x", "Mar 03 08:50:32 sw1 a[1]: %FOO-6-BAR: x", "Mar 03 08:50:32 192.0.2.1 7: %FOO-6-BAR: x", "x: Mar 03 08:50:32: %FOO-6-BAR: x",
	}
	for _, first := range lines {
		for _, second := range lines {
			var m memo
			var h, want header
			h.read([]byte(first), &m)
			h.read([]byte(second), &m)
			want.read([]byte(second), new(memo))
			h.stamps[1], want.stamps[1] = stamp{}, stamp{}
			if h != want {
				t.Errorf("after %q, %q:\n got %+v\nwant %+v", first, second, h, want)
			}
		}
	}
}
