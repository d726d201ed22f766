package shellcmd

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// This file reads the clients that name the other host in their own ways.

// tftp reads those of tftp-hpa and macOS, "tftp [-v] [-m mode] host [port] [-c command]", and of busybox, "tftp -g|-p -l
// local -r remote host [port]" (tftp(1), busybox).
func (c *command) tftp() {
	t := Transfer{Protocol: facts.TFTP}
	words := c.words
	// -c takes the rest of the line.
	for i, w := range c.words {
		if i > 0 && w.is("-c") {
			words = c.words[:i]
			if i+1 < len(c.words) {
				t.Sends, t.Fetches = c.words[i+1].is("put"), c.words[i+1].is("get")
			}
			if i+2 < len(c.words) {
				t.Path = string(c.words[len(c.words)-1].text)
			}
		}
	}
	sub := command{c.r, words, c.depth}
	takes := "mR" // of tftp-hpa and macOS
	for _, w := range words[1:] {
		if len(w.text) > 1 && w.text[0] == '-' && bytes.ContainsAny(w.text, "gp") {
			takes = "blr" // of busybox
		}
	}
	var plain []arg
	for _, a := range sub.args(takes, "") {
		switch a.name {
		case "":
			plain = append(plain, a)
		case "-g":
			t.Fetches = true
		case "-p":
			t.Sends = true
		case "-r":
			t.Path = string(a.text())
		}
	}
	c.hostPort(&t, plain)
}

func (c *command) hostPort(t *Transfer, plain []arg) {
	if len(plain) > 0 {
		if u, ok := c.url(plain[0].text()); ok {
			u.Sends, u.Fetches = t.Sends, t.Fetches
			c.give(u)
			return
		}
		t.Host = string(plain[0].text())
	}
	if len(plain) > 1 {
		if n := number(string(plain[1].text())); n != 69 {
			t.Port = n
		}
	}
	c.give(*t)
}

func (c *command) atftp() {
	t := Transfer{Protocol: facts.TFTP}
	var plain []arg
	for _, a := range c.args("rl", "local-file,remote-file,option,tftp-timeout,mode") {
		switch a.name {
		case "":
			plain = append(plain, a)
		case "-g", "--get":
			t.Fetches = true
		case "-p", "--put":
			t.Sends = true
		case "-r", "--remote-file":
			t.Path = string(a.text())
		}
	}
	c.hostPort(&t, plain)
}

// remote reads "[user@]host:path" as scp and rcp do: a colon before any slash.
func remote(text []byte) (user, host, path string, ok bool) {
	s := string(text)
	at := strings.IndexByte(s, '@')
	rest := s[at+1:]
	if at >= 0 {
		user = s[:at]
	}
	if strings.HasPrefix(rest, "[") {
		if end := strings.Index(rest, "]:"); end > 0 {
			return user, rest[1:end], rest[end+2:], true
		}
	}
	colon, slash := strings.IndexByte(rest, ':'), strings.IndexByte(rest, '/')
	if colon <= 0 || slash >= 0 && slash < colon {
		return "", "", "", false
	}
	return user, rest[:colon], rest[colon+1:], true
}

func (c *command) scp() {
	proto, takes := facts.SCP, "cDFiJloPSX"
	if c.name() == "rcp" {
		proto, takes = facts.RCP, "k"
	}
	var plain []arg
	n := uint16(0)
	for _, a := range c.args(takes, "") {
		switch a.name {
		case "":
			plain = append(plain, a)
		case "-P":
			n = number(string(a.text()))
		}
	}
	for i, a := range plain {
		last := i == len(plain)-1
		t, ok := c.url(a.text())
		if !ok {
			user, host, path, found := remote(a.text())
			if !found {
				continue
			}
			t = Transfer{Protocol: proto, User: user, Host: host, Path: path, Port: n}
		}
		t.Sends, t.Fetches = last, !last
		c.give(t)
	}
}

func (c *command) sftp() {
	t := Transfer{Protocol: facts.SFTP}
	var plain []arg
	for _, a := range c.args("BbcDFiJloPRsSX", "") {
		switch a.name {
		case "":
			plain = append(plain, a)
		case "-P":
			t.Port = number(string(a.text()))
		}
	}
	if len(plain) == 0 {
		return
	}
	if u, ok := c.url(plain[0].text()); ok {
		c.give(u)
		return
	}
	user, host, path, ok := remote(plain[0].text())
	if !ok {
		host = string(plain[0].text())
		if at := strings.LastIndexByte(host, '@'); at >= 0 {
			user, host = host[:at], host[at+1:]
		}
	}
	t.User, t.Host, t.Path, t.Fetches = user, host, path, path != ""
	c.give(t)
}

// share reads "//host/share", with backslashes too, and what mount_smbfs(8) of macOS has: "//user:password@host/share".
func (c *command) share(w word, from int) (Transfer, bool) {
	text := bytes.ReplaceAll(w.text[from:], []byte(`\`), []byte("/"))
	text = bytes.TrimPrefix(bytes.TrimPrefix(text, []byte("smb:")), []byte("cifs:"))
	if !bytes.HasPrefix(text, []byte("//")) {
		return Transfer{}, false
	}
	t := Transfer{Protocol: facts.SMB}
	skipped := len(w.text) - len(text)
	rest := text[2:]
	if at := bytes.LastIndexByte(rest[:max(0, firstSlash(rest))], '@'); at >= 0 {
		user, pass, found := bytes.Cut(rest[:at], []byte(":"))
		t.User, t.Password = string(user), found && len(pass) > 0
		if i := bytes.LastIndexByte(user, ';'); i >= 0 {
			t.User = string(user[i+1:])
		}
		if found {
			c.secret(w, skipped+2+len(user)+1, skipped+2+at, facts.SecretFTP, c.name())
		}
		rest = rest[at+1:]
	}
	host, path, _ := bytes.Cut(rest, []byte("/"))
	t.Host, t.Path = string(host), string(path)
	return t, len(host) > 0
}

func firstSlash(b []byte) int {
	if i := bytes.IndexByte(b, '/'); i >= 0 {
		return i
	}
	return len(b)
}

// smbclient reads "smbclient //host/share [password] [-U user%password] [-c commands]" (smbclient(1)).
func (c *command) smbclient() {
	var t Transfer
	var plain []arg
	user, commands := arg{}, arg{}
	for _, a := range c.args("ARMILUEpsldOtmTDcbniW", "user,command,password,authentication-file,port,ip-address,directory,workgroup,list,max-protocol,option,socket-options") {
		switch a.name {
		case "":
			plain = append(plain, a)
		case "-U", "--user":
			user = a
		case "--password":
			c.password(&t, a, "smbclient --password")
		case "-c", "--command":
			commands = a
		case "-p", "--port":
			t.Port = number(string(a.text()))
		}
	}
	if user.has {
		c.login(&t, user, '%', "smbclient -U")
	}
	if len(plain) == 0 {
		return // a list of shares
	}
	s, ok := c.share(plain[0].value, 0)
	if !ok {
		return
	}
	if len(plain) > 1 {
		c.password(&t, plain[1], "smbclient")
	}
	t.Protocol, t.Host, t.Path = facts.SMB, s.Host, s.Path
	for cmd := range bytes.FieldsFuncSeq(commands.text(), func(r rune) bool { return r == ';' || r == '\n' }) {
		switch w, _, _ := bytes.Cut(bytes.TrimSpace(cmd), []byte(" ")); string(w) {
		case "put", "mput", "reput":
			t.Sends = true
		case "get", "mget", "reget", "more":
			t.Fetches = true
		}
	}
	c.give(t)
}

func (c *command) smbget() {
	var t Transfer
	for _, a := range c.args("UudofbwpO", "user,username,password,outputfile,workgroup,rcfile,blocksize,debuglevel") {
		switch a.name {
		case "-U", "--user", "--username", "-u":
			c.login(&t, a, '%', "smbget -U")
		case "-p", "--password":
			c.password(&t, a, "smbget -p")
		case "":
			c.urls(a.value)
			if u, ok := c.url(a.text()); ok {
				u.User, u.Password, u.Fetches = t.User, u.Password || t.Password, true
				c.give(u)
			}
		}
	}
}

// mount reads mounts of SMB shares: "mount -t cifs //host/share /mnt -o options", mount.cifs, mount_smbfs.
func (c *command) mount() {
	var t Transfer
	var plain []arg
	kind := c.name()
	for _, a := range c.args("tofLUOpu", "types,options,source,target") {
		switch a.name {
		case "":
			plain = append(plain, a)
		case "-t", "--types":
			kind = string(a.text())
		case "-o", "--options":
			c.mountOptions(&t, a)
		}
	}
	if len(plain) == 0 || !strings.Contains(kind, "cifs") && !strings.Contains(kind, "smb") && !strings.Contains(kind, "ftp") {
		return
	}
	c.urls(plain[0].value)
	s, ok := c.share(plain[0].value, plain[0].from)
	if u, isURL := c.url(plain[0].text()); !ok && isURL {
		s, ok = u, true
	}
	if !ok {
		return
	}
	s.Password = s.Password || t.Password
	if s.User == "" {
		s.User = t.User
	}
	c.give(s)
}

// mountOptions are those of mount.cifs(8) that say who logs in.
func (c *command) mountOptions(t *Transfer, a arg) {
	at := a.from
	for o := range bytes.SplitSeq(a.text(), []byte(",")) {
		key, value, _ := bytes.Cut(o, []byte("="))
		switch string(key) {
		case "username", "user":
			t.User = string(value)
			if i := bytes.IndexByte(value, '%'); i >= 0 {
				t.User, t.Password = string(value[:i]), true
				from := at + len(key) + 1 + i + 1
				c.secret(a.value, from, at+len(o), facts.SecretFTP, "mount -o user")
			}
		case "password", "pass", "password2":
			t.Password = true
			c.secret(a.value, at+len(key)+1, at+len(o), facts.SecretFTP, "mount -o password")
		}
		at += len(o) + 1
	}
}

// curlftpfs reads "curlftpfs [user:password@]host /mnt -o user=...".
func (c *command) curlftpfs() {
	t := Transfer{Protocol: facts.FTP}
	var plain []arg
	for _, a := range c.args("o", "") {
		switch a.name {
		case "":
			plain = append(plain, a)
		case "-o":
			text := a.text()
			if i := bytes.Index(text, []byte("user=")); i >= 0 {
				rest := arg{value: a.value, from: a.from + i + len("user="), has: true}
				c.login(&t, rest, ':', "curlftpfs -o user")
			}
		}
	}
	if len(plain) == 0 {
		return
	}
	c.urls(plain[0].value)
	if u, ok := c.url(plain[0].text()); ok {
		u.Password = u.Password || t.Password
		c.give(u)
		return
	}
	host := plain[0].text()
	if at := bytes.LastIndexByte(host, '@'); at >= 0 {
		c.login(&t, arg{value: word{host[:at], plain[0].value.start, plain[0].value.end, plain[0].value.at}, has: true}, ':', "curlftpfs")
		host = host[at+1:]
	}
	t.Host = string(bytes.TrimRight(host, "/"))
	c.give(t)
}
