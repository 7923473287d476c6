texts = ->(digits) { [digits].pack('H*').split("\0", -1)[0...-1] } # of bytes: what is no UTF-8 can't be split as text
utf8 = ->(text) { text.force_encoding('UTF-8') }
ARGV.replace(texts[arguments].drop(1).map(&utf8))
ENV.replace(texts[variables].to_h { |pair| pair.split('=', 2).map(&utf8) })
status = 0
begin
  if ARGV.first == '-e'
    ARGV.shift
    $0 = '-e'
    eval(ARGV.shift.to_s, TOPLEVEL_BINDING, '-e')
  else
    ARGV.shift if ARGV.first == '-u'
    $0 = ARGV.shift || '/dev/stdin'
    load $0
  end
rescue SystemExit => ended
  status = ended.status
rescue Exception => error
  status = 1
  $stderr.write(error.full_message(highlight: false))
end
begin
  $stdout.flush
rescue SystemCallError
  status = 1 if status.zero?
end
exit!(status)
