most, count = gets.to_i, 0
composite = "\0" * (most + 1)
(2...most).each do |n|
  next if composite.getbyte(n) == 1
  count += 1
  m = n * n
  while m < most
    composite.setbyte(m, 1)
    m += n
  end
end
puts count
