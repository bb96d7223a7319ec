// SPDX-License-Identifier: GPL-2.0-or-later
// POV-Ray: reflecting spheres over a noisy plane.
#version 3.7;
global_settings { assumed_gamma 1.0 max_trace_level 6 }
camera { location <0, 4, -12> look_at <0, 1, 0> }
light_source { <10, 20, -10> color rgb 1 }
light_source { <-15, 10, -5> color rgb 0.4 }
plane { y, 0 pigment { granite scale 2 } normal { bumps 0.3 scale 0.4 } finish { reflection 0.2 } }
#declare I = 0;
#while (I < 60)
  sphere { <mod(I * 7, 13) - 6, 0.6 + mod(I, 4), mod(I * 5, 11) - 3>, 0.6
    pigment { color rgb <mod(I, 3) / 2, mod(I, 5) / 4, mod(I, 7) / 6> }
    finish { reflection 0.4 specular 0.6 } }
  #declare I = I + 1;
#end
