-- Each of 16 connections asks again after 11 to 20 ms: together some 1,000 times a second, and not all at once.
function delay()
  return math.random(11, 20)
end
